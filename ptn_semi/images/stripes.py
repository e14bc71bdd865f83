"""Objects in photographs that stripes in the background's colour cut to pieces."""

import numpy as np
from scipy import ndimage

_OUTLINE = 0.008  # half of the width of a thin outline round stripes, in image sides
_REACHES = (0.015, 0.03, 0.05)  # half of the width of stripes, in image sides
_PIECE = 0.03  # share of the object's area, from which a part of it is a piece
_MIN_REST = 0.1  # share of an object in pieces that is outside the largest one
_MIN_STRIPES = 0.15  # area of the stripes inside an outline, as a share of what it encloses
_MIN_SOLID = 0.5  # share of an object that is left without its thin outlines
_MIN_PARALLEL = 0.7  # 1 where all edges of pieces are parallel, 0 where no direction is preferred


def mend(silhouette: np.ndarray) -> tuple[np.ndarray, bool]:
    """Fill the stripes of an object that is in pieces, which at most thin outlines connect.

    The holes inside thin outlines are filled. So are gaps between three or more pieces whose edges
    are parallel.

    Args:
      silhouette: bool [H, W].

    Returns:
      The silhouette, and whether it was in pieces. It may then be wrong, as the holes inside thin
      outlines may be real, and the pieces may be several objects.
    """
    side = max(silhouette.shape)
    filled = ndimage.binary_fill_holes(silhouette)
    solid = _open(silhouette, max(2, round(_OUTLINE * side)))
    inside_outlines = filled & ~silhouette & ~ndimage.binary_fill_holes(solid)
    has_outlines = bool(
        inside_outlines.sum() > _MIN_STRIPES * filled.sum()
        and solid.sum() > _MIN_SOLID * silhouette.sum()
        and _is_in_pieces(solid)
    )
    if has_outlines:
        silhouette = silhouette | inside_outlines
    if not _is_in_pieces(silhouette):
        return silhouette, has_outlines
    if len(_pieces(silhouette)) > 2:
        for reach in _REACHES:
            joined = _close(silhouette, reach * side)
            if len(_pieces(joined)) == 1:
                is_striped = _measure_parallel_edges(silhouette, joined) > _MIN_PARALLEL
                return joined if is_striped else silhouette, True
    return silhouette, True


def _pieces(silhouette):
    """Return the areas of the large parts of a silhouette, as shares of its area."""
    parts, _ = ndimage.label(silhouette)
    shares = np.bincount(parts[silhouette])[1:] / max(1, silhouette.sum())
    return shares[shares > _PIECE]


def _is_in_pieces(silhouette):
    pieces = _pieces(silhouette)
    return len(pieces) > 1 and pieces.sum() - pieces.max() > _MIN_REST


def _open(mask, reach):
    """Leave out the parts of a mask that are nowhere wider than three times the reach, in pixels.

    Of the others, what is narrower than twice the reach is left out.
    """
    padded = np.pad(mask, 1)
    depth = ndimage.distance_transform_edt(padded)
    core = ndimage.binary_propagation(depth > 1.5 * reach, mask=depth > reach)
    near = ndimage.distance_transform_edt(~core) < reach + 1
    return (padded & near & core.any())[1:-1, 1:-1]


def _close(mask, reach):
    """Fill what is narrower than twice the reach, in pixels."""
    margin = int(reach) + 2
    near = ndimage.distance_transform_edt(~np.pad(mask, margin)) <= reach
    return (ndimage.distance_transform_edt(near) > reach)[margin:-margin, margin:-margin]


def _measure_parallel_edges(pieces, joined):
    """Return how parallel the edges of pieces are inside what joins them, from 0 to 1."""
    inside = ndimage.binary_erosion(joined, iterations=3)
    y, x = (each[inside] for each in np.gradient(ndimage.gaussian_filter(pieces * 1.0, 1.5)))
    xx, xy, yy = (x * x).sum(), (x * y).sum(), (y * y).sum()
    return np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-9)
