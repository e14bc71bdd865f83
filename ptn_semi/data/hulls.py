"""Visual hulls of labeled shapes: what the labels say of the shapes' voxels."""

from collections.abc import Sequence

import numpy as np
import tqdm

from ptn_semi.data.splits import Shapes
from ptn_semi.models import hull_correction
from ptn_semi.projection.projector import Projector
from ptn_semi.projection.visual_hull import visual_hull

_BATCH = 32  # shapes carved at a time; no effect on the result


def labeled_hulls(
    shapes: Shapes,
    labeled: Sequence[int] | np.ndarray,
    num_views: int,
    projector: Projector,
    corrected: bool,
    progress: bool = False,
) -> np.ndarray:
    """Carve the hulls of labeled shapes from their first views.

    Args:
      shapes: the shapes.
      labeled: indices of the labeled ones.
      num_views: how many views of each shape to use, from the first.
      projector: the projector that the masks were rendered with, with nearest sampling.
      corrected: give a hull's voxels their likelihood, by `hull_correction.correct`.
      progress: show progress bars.

    Returns:
      uint8 [labeled, N, N, N] in [0, 255], 0 outside the hulls. Inside it is 255, or the likelihood
      that the voxel is part of the shape.
    """
    num_views = min(num_views, shapes.masks.shape[1])
    hulls = np.zeros((len(labeled), *(shapes.voxel_size,) * 3), bool)
    starts = range(0, len(labeled), _BATCH)
    for start in tqdm.tqdm(starts, desc="carving", unit=" batches", disable=not progress):
        index = np.asarray(labeled[start : start + _BATCH])
        masks = shapes.unpack_masks(index[:, None], np.arange(num_views))
        viewpoints = shapes.viewpoints[index, :num_views]
        hulls[start : start + len(index)] = visual_hull(
            projector, masks, viewpoints, shapes.voxel_size
        ).numpy()
    if corrected and len(hulls):
        return hull_correction.correct(hulls, progress)
    return hulls.astype(np.uint8) * 255
