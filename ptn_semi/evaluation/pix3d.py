"""Pix3D: photographs' silhouettes of objects whose shapes are known, and its protocol for voxels.

Sun et al., "Pix3D: Dataset and Methods for Single-Image 3D Shape Modeling", CVPR 2018. The protocol
compares shapes in their bounding boxes, and all with the one threshold that suits them best.
"""

import dataclasses
import math
import os
import pathlib
from typing import Any

import numpy as np
import scipy.io
from scipy import ndimage
from scipy.io.matlab import MatReadError

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError, first_line

NUM_OFFICIAL = 2894  # chairs that are neither truncated nor occluded; published scores use them
THRESHOLDS = np.arange(1, 51) / 100
_SIDE = 32  # of the grids that are compared
_BOX_THRESHOLD = 0.1  # of the voxels in a bounding box
_FIX = "download Pix3D again"


@dataclasses.dataclass(frozen=True)
class Example:
    """An object in a photograph.

    Attributes:
      mask: file of its silhouette, white on black.
      voxels: file of its shape.
      elevation: of the camera, in degrees.
      roll: of the camera, in degrees.
    """

    mask: pathlib.Path
    voxels: pathlib.Path
    elevation: float
    roll: float


def list_examples(folder: str | os.PathLike, category: str = "chair") -> list[Example]:
    """List the objects of a category that are neither truncated nor occluded.

    Args:
      folder: a download of Pix3D, with `pix3d.json`, `mask/` and `model/`.
      category: Pix3D's name of it.

    Raises:
      UserError: if it is not a download of Pix3D, or has none of these objects.
    """
    folder = pathlib.Path(folder)
    entries = files.read_json(folder / "pix3d.json", _FIX)
    hidden = ("truncated", "occluded", "slightly_occluded")
    try:
        found = [
            _example(folder, entry)
            for entry in entries
            if entry["category"] == category and not any(entry[name] for name in hidden)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / 'pix3d.json'} is not Pix3D's ({first_line(error)}): {_FIX}"
        ) from error
    if not found:
        raise UserError(f"{folder} has no {category} that is in full view: give another category")
    return found


def _example(folder: pathlib.Path, entry: dict[str, Any]) -> Example:
    # Pix3D's models: +x to the viewer's left, +y up, +z away from the viewer.
    left, up, away = entry["cam_position"]
    elevation = math.degrees(math.atan2(up, math.hypot(left, away)))
    roll = math.degrees(entry["inplane_rotation"])
    return Example(folder / entry["mask"], folder / entry["voxel"], elevation, roll)


def read_voxels(path: str | os.PathLike) -> np.ndarray:
    """Read a shape of Pix3D, as bool [32, 32, 32], axes x, y, z as in `geometry`.

    Pix3D's own voxels have +x to the viewer's left, +y towards the viewer and +z up.

    Raises:
      UserError: if the file cannot be read.
    """
    try:
        voxels = np.asarray(scipy.io.loadmat(path)["voxel"])
        voxels = voxels.transpose(1, 2, 0)
        return _pool(voxels > 0)
    except (OSError, KeyError, ValueError, MatReadError, NotImplementedError) as error:
        raise UserError(f"{path} cannot be read ({first_line(error)}): {_FIX}") from error


def _pool(voxels: np.ndarray) -> np.ndarray:
    """Reduce voxels [N, N, N] to [32, 32, 32] by the largest of each block."""
    factor = len(voxels) // _SIDE
    return voxels.reshape(_SIDE, factor, _SIDE, factor, _SIDE, factor).max(axis=(1, 3, 5))


def in_box(voxels: np.ndarray) -> np.ndarray:
    """Move and scale a shape so that its bounding box, made a cube, fills the grid.

    Args:
      voxels: [N, N, N] in [0, 1]; N is a multiple of 32. The box holds those of at least .1.

    Returns:
      float [32, 32, 32], interpolated linearly. It is empty if there are none.
    """
    voxels = _pool(np.asarray(voxels, float))
    inside = voxels >= _BOX_THRESHOLD
    if not inside.any():
        return np.zeros((_SIDE,) * 3)
    box = ndimage.find_objects(inside.astype(int))[0]
    sizes = np.array([side.stop - side.start - 1 for side in box], float)
    places = [
        np.linspace(size / 2 - sizes.max() / 2, size / 2 + sizes.max() / 2, _SIDE) for size in sizes
    ]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(voxels[box], grid, order=1, mode="constant", prefilter=False)


def ious(boxed: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the IoU of a shape with the true one, both from `in_box`, for all `THRESHOLDS`."""
    occupied = boxed >= THRESHOLDS[:, None, None, None]
    true = truth > _BOX_THRESHOLD
    union = (occupied | true).sum(axis=(1, 2, 3))
    return (occupied & true).sum(axis=(1, 2, 3)) / np.maximum(union, 1)
