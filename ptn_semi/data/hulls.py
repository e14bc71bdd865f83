"""Visual hulls of labeled shapes: what the labels say of the shapes' voxels."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import tqdm

from ptn_semi.data.splits import Shapes
from ptn_semi.models import hull_correction
from ptn_semi.projection import resolutions
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from ptn_semi.projection.visual_hull import visual_hull

_BATCH = 32  # shapes carved at a time; no effect on the result


@dataclasses.dataclass(frozen=True)
class Occupancy:
    """What is known of the labeled shapes' voxels, at the model's resolution.

    Attributes:
      hulls: uint8 [H, N, N, N] in [0, 255], of the first shapes; see `labeled_hulls`.
      packed: voxels that are full or empty, of the others, uint8 [P, N³/8], packed 8 to a byte.
    """

    hulls: np.ndarray
    packed: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return those of these rows, uint8 [rows, N, N, N] in [0, 255]."""
        own = rows < len(self.hulls)
        result = np.empty((len(rows), *self.hulls.shape[1:]), np.uint8)
        result[own] = self.hulls[rows[own]]
        bits = np.unpackbits(self.packed[rows[~own] - len(self.hulls)], axis=1)
        result[~own] = bits.reshape(-1, *result.shape[1:]) * 255
        return result


def of_hulls(hulls: np.ndarray) -> Occupancy:
    """Return the `Occupancy` of shapes that all have hulls."""
    return Occupancy(hulls, np.zeros((0, math.prod(hulls.shape[1:]) // 8), np.uint8))


def labeled_hulls(
    shapes: Shapes,
    labeled: Sequence[int] | np.ndarray,
    num_views: int,
    camera: Camera,
    voxel_size: int,
    corrected: bool,
    many: bool = True,
) -> np.ndarray:
    """Carve the hulls of labeled shapes, given by their indices, from their first views.

    Args:
      num_views: number of views of each shape to use, from the first.
      voxel_size: N, the side of the hulls. They are carved at the shapes' own resolution, and
        averaged if that is finer.
      corrected: give a hull's voxels their likelihood, by `hull_correction.correct`.
      many: compile the projector with XLA and show progress, which a few hulls are not worth.

    Returns:
      uint8 [labeled, N, N, N] in [0, 255], 0 outside the hulls. Inside it is 255, or the likelihood
      that the voxel is part of the shape.
    """
    num_views = min(num_views, shapes.masks.shape[1])
    size = shapes.voxel_size
    side = resolutions.coarse_side(resolutions.fine_side(shapes.image_size, size), size)
    projector = Projector(side, camera, jit_compile=many)
    carved = np.zeros((len(labeled), *(size,) * 3), bool)
    starts = range(0, len(labeled), _BATCH)
    for start in tqdm.tqdm(starts, desc="carving", unit=" batches", disable=not many):
        index = np.asarray(labeled[start : start + _BATCH])
        masks = _resized(shapes.unpack_masks(index[:, None], np.arange(num_views)), side)
        viewpoints = shapes.viewpoints[index, :num_views]
        carved[start : start + len(index)] = visual_hull(projector, masks, viewpoints, size)
    if corrected and len(carved):
        hulls = hull_correction.correct(carved, progress=many)
    else:
        hulls = carved.astype(np.uint8) * 255
    return averaged(hulls, voxel_size)


def averaged(hulls: np.ndarray, voxel_size: int) -> np.ndarray:
    """Average hulls, uint8 [B, N, N, N], to [B, n, n, n]."""
    if hulls.shape[1] == voxel_size:
        return hulls
    result = np.zeros((len(hulls), *(voxel_size,) * 3), np.uint8)
    for start in range(0, len(hulls), _BATCH):
        some = hulls[start : start + _BATCH].astype(np.float32)
        result[start : start + _BATCH] = np.ceil(resolutions.coarse_voxels(some, voxel_size))
    return result


def _resized(masks: np.ndarray, side: int) -> np.ndarray:
    """Resize masks [B, V, S, S, 1]. A pixel of an averaged mask is 0 if all that it joins are."""
    size = masks.shape[2]
    if side > size:
        return masks.repeat(side // size, axis=2).repeat(side // size, axis=3)
    flat = resolutions.coarse_masks(masks.reshape(-1, size, size, 1), side)
    return np.reshape(flat, (*masks.shape[:2], side, side, 1))
