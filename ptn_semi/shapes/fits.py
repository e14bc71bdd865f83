"""How well a reconstruction explains its mask, and from where it was seen."""

from typing import NamedTuple

import numpy as np

from ptn_semi.projection import framed_views, geometry, resolutions
from ptn_semi.projection.camera import ViewRanges
from ptn_semi.projection.projector import Projector

_AZIMUTHS, _ELEVATIONS = 24, 5  # of the first, coarse search
_FAR_BETTER = 0.05  # in IoU, which outweighs the model's estimate
_ROUNDS = 3  # searches around the best so far, each with half the steps


class Fit(NamedTuple):
    """A viewpoint [2 or 7], see `geometry`, and how well a shape fits its mask there."""

    viewpoint: np.ndarray
    iou: float

    @property
    def elevation(self) -> float:
        """The elevation, in degrees."""
        return float(self.viewpoint[0])

    @property
    def azimuth(self) -> float:
        """The azimuth, in degrees from 0 to 360."""
        return float(self.viewpoint[1] % 360)


def search(
    occupied: np.ndarray,
    mask: np.ndarray,
    projector: Projector,
    ranges: ViewRanges,
    estimate: np.ndarray | None = None,
) -> Fit:
    """Search for the viewpoint from which a shape is most like its mask.

    Args:
      occupied: bool [N, N, N].
      mask: [S, S, 1] of zeros and ones.
      projector: the model's `render_projector`.
      ranges: the ranges of the model's viewpoints. Elevation and azimuth are searched for. Of
        views with cameras of their own, the roll and the distance are as in the estimate, or in the
        middle of their ranges, and the shape is framed as it is in the mask.
      estimate: [2 or 7], the viewpoint that the model estimates. The result lies close to it unless
        another place fits far better: the silhouettes of a shape from the front and from behind are
        nearly equal.
    """
    low, high = ranges.elevation
    width, height = 360 / _AZIMUTHS, (high - low) / (_ELEVATIONS - 1)
    grid = np.meshgrid(np.linspace(low, high, _ELEVATIONS), np.arange(0, 360, width))
    everywhere = np.stack(grid, axis=-1).reshape(-1, 2).astype(np.float32)
    around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
    middle = geometry.viewpoints_within(np.full(5, 0.5, np.float32), ranges, projector.camera)
    rest = (middle.numpy() if estimate is None else np.array(estimate, np.float32))[2:]
    rest[2:3] = 0  # a half width of 0 has the shape framed
    extent, centre = _box(mask)

    def search_around(angles):
        steps = np.array([height, width], np.float32)
        for _ in range(_ROUNDS + 1):
            angles[:, 0] = angles[:, 0].clip(low, high)
            candidates = np.concatenate([angles, np.tile(rest, (len(angles), 1))], axis=1)
            candidates = candidates.astype(np.float32)
            grids = np.broadcast_to(occupied, (len(candidates), *occupied.shape))
            candidates = np.asarray(framed_views.frame(grids, candidates, extent, centre))
            ious = _ious(occupied, mask, projector, candidates)
            best = ious.argmax()
            steps /= 2
            angles = candidates[best, :2] + around * steps
        return Fit(candidates[best], float(ious[best]))

    anywhere = search_around(everywhere)
    if estimate is None:
        return anywhere
    close = np.float32(estimate[:2]) + around * np.array([height, width], np.float32) / 2
    near = search_around(close)
    return anywhere if anywhere.iou > near.iou + _FAR_BETTER else near


def measure(
    occupied: np.ndarray, mask: np.ndarray, projector: Projector, viewpoint: np.ndarray
) -> Fit:
    """Return how a shape fits its mask from a viewpoint, [2 or 7]; see `search`."""
    (iou,) = _ious(occupied, mask, projector, viewpoint[None])
    return Fit(viewpoint, float(iou))


def _box(mask):
    """Return the extent and the centre of the object in a mask; see `framed_views.frame`."""
    rows, columns = (np.flatnonzero(mask[..., 0].max(axis=axis) > 0.5) for axis in (1, 0))
    if not len(rows):
        return framed_views.EXTENT, (0.0, 0.0)
    size = len(mask)
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    right, down = ((ends[0] + ends[-1] + 1) / size - 1 for ends in (columns, rows))
    return longer / size, (right, -down)


def _ious(occupied, mask, projector, viewpoints):
    voxels = np.broadcast_to(occupied.astype(np.float32), (len(viewpoints), *occupied.shape))
    seen = resolutions.render(projector, voxels, viewpoints, mask.shape[0]).numpy() > 0
    full = mask > 0.5
    return (seen & full).sum(axis=(1, 2, 3)) / (seen | full).sum(axis=(1, 2, 3)).clip(1)
