"""Whole shapes: occupied voxels that hang together and show their masks.

Held against a threshold one by one, the voxels of a thin part whose place is unsure are all empty,
though the mask shows the part. A whole shape has the likeliest path to it instead.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.projector import Projector
from ptn_semi.shapes import components

_SMALL = 0.01  # share of the largest component's voxels
LOWEST = 0.1  # threshold
_STEP = 0.02  # between thresholds
_KEPT = 0.5  # share of the occupied voxels that carving has to leave
# Costs of a voxel of a path. The costs of probable voxels are their negative log-probabilities.
_OCCUPIED, _PER_VOXEL, _LEAST = 0.02, 0.05, 1e-4
_OUTSIDE = 3.0  # factor, and addend, of voxels outside a mask
_LIKELY = 0.5  # of the threshold, for voxels that join components
_UPRIGHT = 5  # voxels of a 32³ grid
_DETOUR, _SLACK = 2.0, 3.0  # how much longer than straight a path may be; voxels of a 32³ grid
_FAR = 3.0  # outside a mask, where no path goes; voxels of a 32³ grid
_THICKEST = 1.5  # radius of an added part; voxels of a 32³ grid
_NEAREST = 1.0  # pixels of a mask of 32² from what is seen to what needs a path


class Shape(NamedTuple):
    """Occupied voxels, as the probabilities above a threshold.

    Attributes:
      voxels: float32 [N, N, N] in [0, 1], axes x, y, z. Those that were added or removed are no
        longer the model's.
      threshold: voxels above it are occupied.
    """

    voxels: np.ndarray
    threshold: float

    @property
    def occupied(self) -> np.ndarray:
        """The occupied voxels, bool [N, N, N]."""
        return self.voxels > self.threshold


def threshold_shape(voxels: np.ndarray, threshold: float) -> Shape:
    """Return the shape of the probabilities [N, N, N] above a threshold, without small components.

    These have less than a hundredth of the voxels of the largest one.
    """
    occupied = voxels > threshold
    small = occupied & ~components.keep_large(occupied, _SMALL)
    return Shape(np.where(small, 0, voxels), threshold)


def whole_shape(
    voxels: np.ndarray,
    masks: np.ndarray,
    viewpoints: np.ndarray,
    projector: Projector,
    threshold: float,
    lowest: float = LOWEST,
    mirror_symmetric: bool = False,
) -> Shape:
    """Return the likeliest shape that hangs together and shows its masks.

    1. The threshold is lowered as far as it pays: each hundredth has to gain a hundredth of IoU
       with the masks.
    2. Occupied voxels outside a mask are removed, unless that would be most of them: the viewpoint
       is wrong then.
    3. Of the components, the largest is kept, and others that are joined to it by voxels whose
       probability is over half of the threshold.
    4. Each pixel of a mask that shows nothing gets the likeliest path from its ray to the shape,
       unless that path makes a long detour. In masks finer than 32², pixels right beside what is
       seen do not: such paths make surfaces rough. What is added is round, and as thick as it is
       wide in the mask, up to three voxels of a 32³ grid. Where shapes are symmetric, the mirror
       image of what was added is added too, if it is inside the masks and joins.

    Args:
      voxels: probabilities, float32 [N, N, N], axes x, y, z.
      masks: [K, S, S, 1] in [0, 1], K views.
      viewpoints: [K, 2 or 7]; see `geometry`.
      projector: the model's `render_projector`.
      threshold: the model's, at which a voxel is as well occupied as empty.
      lowest: the lowest threshold to use.
      mirror_symmetric: whether shapes are symmetric about the plane z = 0.

    Returns:
      The shape: one 6-connected component without cavities. It is empty if no voxel is above the
      threshold.
    """
    masks = np.asarray(masks, np.float32)
    rays = projector.ray_voxels(viewpoints, len(voxels)).numpy()  # [K, depths, side, side]
    full = masks[..., 0] > 0.5
    for axis in (1, 2):
        full = full.repeat(projector.image_size // masks.shape[1], axis)
    threshold = _fitting_threshold(voxels, rays, full, threshold, lowest)
    signed_distances = _signed_distances(masks, viewpoints, projector, len(voxels))
    inside = signed_distances > 0
    occupied = voxels > threshold
    if (occupied & inside).sum() >= _KEPT * occupied.sum():
        occupied &= inside
    if not occupied.any():
        return Shape(np.zeros_like(voxels), threshold)
    likely = occupied | (inside & (voxels > _LIKELY * threshold))
    occupied = _complete(voxels, occupied, likely, signed_distances, rays, full, mirror_symmetric)
    return Shape(_field(voxels, occupied, threshold), threshold)


def _fitting_threshold(
    voxels: np.ndarray, rays: np.ndarray, full: np.ndarray, highest: float, lowest: float
) -> float:
    """Return the threshold at which the mean IoU with the masks plus the threshold is highest."""
    brightest = np.append(voxels, 0)[rays].max(axis=1)  # [K, side, side]
    candidates = np.arange(highest, min(lowest, highest) - 1e-6, -_STEP)

    def score(threshold: float) -> float:
        seen = brightest > threshold
        union = (seen | full).sum(axis=(1, 2))
        return float(((seen & full).sum(axis=(1, 2)) / np.maximum(union, 1)).mean()) + threshold

    return float(max(candidates, key=score))


def _signed_distances(
    masks: np.ndarray, viewpoints: np.ndarray, projector: Projector, size: int
) -> np.ndarray:
    """Return the distances of voxels from the outlines of the masks, float32 [N, N, N].

    In voxels, if a mask is as wide as the grid. The least over the masks: the radius of the ball
    that is inside all of them; negative outside a mask, and 0 outside an image.
    """
    # Twice the pixels, since a part two pixels wide has its middle between them.
    fine = (masks[..., 0] > 0.5).repeat(2, axis=1).repeat(2, axis=2)
    edt = ndimage.distance_transform_edt
    distances = np.stack([edt(mask) - edt(~mask) for mask in fine])
    side = masks.shape[1]
    largest = distances.reshape(len(masks), side, 2, side, 2).max(axis=(2, 4))[..., None]
    back_project = BackProjection(size, projector.camera, dtype="float32")
    return back_project(largest * (size / (2 * side)), viewpoints)[..., 0].numpy().min(axis=0)


def _complete(
    voxels: np.ndarray,
    occupied: np.ndarray,
    likely: np.ndarray,
    signed_distances: np.ndarray,
    rays: np.ndarray,
    full: np.ndarray,
    mirror_symmetric: bool,
) -> np.ndarray:
    """Connect what is occupied, and occupy what the masks show; see `whole_shape`.

    Other components are joined over `likely` voxels.
    """
    inside, scale = signed_distances > 0, len(voxels) / 32
    labels, count = ndimage.label(occupied)
    base = labels == np.bincount(labels[occupied]).argmax()
    costs = _PER_VOXEL - np.log(np.maximum(voxels, _LEAST))
    costs = np.where(inside, costs, _OUTSIDE * costs + _OUTSIDE)
    # Most thin parts are upright: the voxels above and below count too, so paths are straighter.
    costs = (costs + ndimage.uniform_filter1d(costs, round(_UPRIGHT * scale), axis=1)) / 2
    costs = np.where(occupied, _OCCUPIED, costs)
    interior = ndimage.binary_erosion(base)
    # Negative costs close voxels that no path has to pass, which takes half the time.
    closed = interior | ((signed_distances < -_FAR * scale) & ~occupied)
    search = MCP_Geometric(np.where(closed, -1, costs), fully_connected=False)
    # Flat arrays have a last entry for the samples of rays that are outside the grid.
    total = np.append(search.find_costs(np.argwhere(base & ~interior))[0], np.inf)
    shape, flat_labels = np.append(base, False), np.append(labels, 0)
    radii = np.minimum(signed_distances, _THICKEST * scale)

    def path_to(voxel: int) -> np.ndarray:
        """Return the cheapest path from the base to a voxel; voxels are flat indices."""
        path = search.traceback(np.unravel_index(voxel, base.shape))
        return np.ravel_multi_index(np.transpose(path), base.shape)

    def add(path: np.ndarray) -> None:
        """Add a path as wide as the masks are, and the components that it touches."""
        around = _balls(path[~shape[path]], radii, costs)
        shape[around[radii.flat[around] > 0]] = True
        shape[path] = True
        for label in np.unique(flat_labels[path]):
            if label:
                shape[flat_labels == label] = True

    for label in range(1, count + 1):
        members = np.flatnonzero(flat_labels == label)
        nearest = members[total[members].argmin()]
        if np.isinf(total[nearest]):
            continue
        path = path_to(nearest)
        if likely.reshape(-1)[path].all():
            add(path)
    for of_view, mask in zip(rays, full, strict=True):
        seen = shape[of_view].any(axis=0)
        distances = ndimage.distance_transform_edt(~seen) * (32 / len(mask))
        rows, columns = np.nonzero(mask & (distances >= _NEAREST))
        # A path much longer than the pixel is away from what is seen runs along the rays: a guess.
        longest = (_DETOUR * distances[rows, columns] + _SLACK) * scale
        samples = of_view[:, rows, columns]  # [depths, pixels]
        ends = samples[total[samples].argmin(axis=0), np.arange(len(rows))]
        # The costliest first, since the path to a foot shows the whole leg.
        for pixel in np.argsort(-total[ends], kind="stable"):
            if np.isinf(total[ends[pixel]]) or shape[samples[:, pixel]].any():
                continue
            path = path_to(ends[pixel])
            if np.count_nonzero(~shape[path]) <= longest[pixel]:
                add(path)
    found = shape[:-1].reshape(base.shape)
    if mirror_symmetric:
        found |= (found & ~occupied)[:, :, ::-1] & inside
    labels, _ = ndimage.label(found)
    return ndimage.binary_fill_holes(labels == labels[base][0])


def _balls(centres: np.ndarray, radii: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Return the voxels of balls around some voxels, with the radii at these; flat indices.

    A ball whose diameter is an even number of voxels has its centre at a corner of its voxel,
    towards the neighbours of lower cost.
    """
    places = np.stack(np.unravel_index(centres, radii.shape), axis=1)
    own = radii.reshape(-1)[centres][:, None]
    before, behind = (
        costs[tuple((places[:, None] + sign * np.eye(3, dtype=int)).clip(0, len(radii) - 1).T)].T
        for sign in (-1, 1)
    )
    towards = np.where(behind < before, 0.5, -0.5) * (np.round(2 * own) % 2 == 0)
    sides = np.arange(-int(radii.max()), int(radii.max()) + 1)
    offsets = np.stack(np.meshgrid(sides, sides, sides, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.linalg.norm(offsets - towards[:, None], axis=-1)
    ball, offset = np.nonzero(distances < own)
    around = (places[ball] + offsets[offset]).clip(0, len(radii) - 1)
    return np.ravel_multi_index(tuple(around.T), radii.shape)


def _field(voxels: np.ndarray, occupied: np.ndarray, threshold: float) -> np.ndarray:
    """Change probabilities so that they are above the threshold where a shape is occupied.

    Parts that are one voxel thin get twice the threshold: the surface at which the probability
    crosses the threshold is then half a voxel away from their centres, and does not vanish.
    """
    raised = occupied & (voxels <= threshold)
    raised |= occupied & ~ndimage.binary_opening(occupied, np.ones((2, 2, 2)))
    field = np.where(raised, np.maximum(voxels, min(1.0, 2 * threshold)), voxels)
    return np.where(occupied, field, np.minimum(field, threshold * 0.5)).astype(np.float32)
