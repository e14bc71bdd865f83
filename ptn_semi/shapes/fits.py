"""How well a reconstruction explains its mask, and from where it was seen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ptn_semi.projection import resolutions
from ptn_semi.projection.projector import Projector

_AZIMUTHS, _ELEVATIONS = 24, 5  # of the first, coarse search
_FAR_BETTER = 0.05  # in IoU, which outweighs the model's estimate
_ROUNDS = 3  # searches around the best so far, each with half the steps


class Fit(NamedTuple):
    """A viewpoint, in degrees, and how well a shape fits its mask there."""

    elevation: float
    azimuth: float  # from 0 to 360
    iou: float


def search(
    occupied: np.ndarray,
    mask: np.ndarray,
    projector: Projector,
    elevation_range: Sequence[float],
    estimate: np.ndarray | None = None,
) -> Fit:
    """Search for the viewpoint from which a shape is most like its mask.

    Args:
      occupied: bool [N, N, N].
      mask: [S, S, 1] of zeros and ones.
      projector: the model's `render_projector`.
      elevation_range: lowest and highest elevation, in degrees.
      estimate: [2] in degrees, the viewpoint that the model estimates. The result lies close to it
        unless another place fits far better: the silhouettes of a shape from the front and from
        behind are nearly equal.
    """
    low, high = elevation_range
    width, height = 360 / _AZIMUTHS, (high - low) / (_ELEVATIONS - 1)
    grid = np.meshgrid(np.linspace(low, high, _ELEVATIONS), np.arange(0, 360, width))
    everywhere = np.stack(grid, axis=-1).reshape(-1, 2).astype(np.float32)
    around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)

    def search_around(candidates):
        steps = np.array([height, width], np.float32)
        for _ in range(_ROUNDS + 1):
            candidates[:, 0] = candidates[:, 0].clip(low, high)
            ious = _ious(occupied, mask, projector, candidates)
            viewpoint, iou = candidates[ious.argmax()], float(ious.max())
            steps /= 2
            candidates = (viewpoint + around * steps).astype(np.float32)
        return Fit(float(viewpoint[0]), float(viewpoint[1] % 360), iou)

    anywhere = search_around(everywhere)
    if estimate is None:
        return anywhere
    close = search_around(np.float32(estimate) + around * np.array([height, width], np.float32) / 2)
    return anywhere if anywhere.iou > close.iou + _FAR_BETTER else close


def measure(
    occupied: np.ndarray, mask: np.ndarray, projector: Projector, viewpoint: Sequence[float]
) -> Fit:
    """Return how a shape fits its mask from a viewpoint, [2]; see `search`."""
    (iou,) = _ious(occupied, mask, projector, np.array([viewpoint], np.float32))
    return Fit(float(viewpoint[0]), float(viewpoint[1] % 360), float(iou))


def _ious(occupied, mask, projector, viewpoints):
    voxels = np.broadcast_to(occupied.astype(np.float32), (len(viewpoints), *occupied.shape))
    seen = resolutions.render(projector, voxels, viewpoints, mask.shape[0]).numpy() > 0
    full = mask > 0.5
    return (seen & full).sum(axis=(1, 2, 3)) / (seen | full).sum(axis=(1, 2, 3)).clip(1)
