"""What speaks against a silhouette that was found in a photograph."""

import numpy as np
from scipy import ndimage

SEVERAL = "there are several objects in it, or the object is in pieces"
NOT_PLAIN = "its background is not plain"
TWO_COLORS = "either of two colours may be its background"
_SECOND = 0.1  # a second part of this share of the largest one's area is an object of its own
_NEAR = 0.015  # parts this close, in image sides, are one object
_MANY = 12  # holes, above which a silhouette is doubtful
_GAP = 0.01  # half of the width of a narrow gap, in image sides
_GAPS = 0.12  # share of narrow gaps, above which a silhouette is doubtful
_CHANGES = 12  # times that the border leaves the background, above which that is not plain
_WEAK = 0.25  # share of an outline without contrast, above which it is doubtful


def of(
    silhouette: np.ndarray,
    background: np.ndarray,
    num_holes: int,
    colors: np.ndarray,
    tolerance: float,
) -> tuple[str, ...]:
    """Say what speaks against a silhouette.

    Args:
      silhouette: bool [H, W].
      background: where the colours are the background's, bool [H, W].
      num_holes: how many parts of the background it encloses.
      colors: the photograph, float [H, W, 3] from 0 to 255.
      tolerance: difference from the background that noise does not reach, of 255.

    Returns:
      Phrases, such as "its silhouette has narrow gaps"; empty if nothing does.
    """
    said = {
        NOT_PLAIN: _changes(background) > _CHANGES,
        SEVERAL: are_several(silhouette),
        "its silhouette has many holes": num_holes > _MANY,
        "its silhouette has narrow gaps": _gaps(silhouette) > _GAPS,
        "parts of its outline do not stand out from the background": (
            _weak_share(silhouette, colors, tolerance) > _WEAK
        ),
    }
    return tuple(phrase for phrase, is_so in said.items() if is_so)


def are_several(silhouette: np.ndarray) -> bool:
    """Return whether a silhouette, bool [H, W], has a second part that is large and lies apart."""
    reach = max(1, round(_NEAR * max(silhouette.shape)))
    near = ndimage.distance_transform_edt(~silhouette) <= reach
    parts, _ = ndimage.label(near)
    areas = np.sort(np.bincount(parts[silhouette]))[::-1]
    return len(areas) > 1 and areas[1] > _SECOND * areas[0]


def _changes(background):
    """Count how often one leaves the background on the way round the border."""
    sides = background[0], background[:, -1], background[-1, ::-1], background[::-1, 0]
    border = np.concatenate(sides)
    return np.count_nonzero(border & ~np.roll(border, -1))


def _gaps(silhouette):
    """Return the area of narrow gaps, as a share of the silhouette's."""
    reach = round(_GAP * max(silhouette.shape)) + 1
    padded = np.pad(silhouette, 2 * reach + 1)
    near = ndimage.distance_transform_edt(~padded) <= reach
    closed = ndimage.distance_transform_edt(near) > reach
    return float((closed & ~padded).sum() / max(1, padded.sum()))


def _weak_share(silhouette, colors, tolerance):
    """Return the share of an outline's pixels on whose two sides the colours are alike."""
    inside = silhouette & ~ndimage.binary_erosion(silhouette, iterations=1, border_value=1)
    if not inside.any():
        return 0.0
    size = 7
    contrast = np.max(
        [
            ndimage.maximum_filter(colors[..., c], size)
            - ndimage.minimum_filter(colors[..., c], size)
            for c in range(3)
        ],
        axis=0,
    )
    return float((contrast[inside] < 1.5 * tolerance).mean())
