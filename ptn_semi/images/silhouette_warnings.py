"""Reasons why a silhouette that was found in a photograph may be wrong."""

import numpy as np
from scipy import ndimage

SEVERAL_OBJECTS = "there are several objects in it, or the object is in pieces"
NOT_PLAIN = "its background is not plain"
IN_PIECES = "parts of it may have the colour of its background"
TWO_COLORS = "either of two colours may be its background"
_SECOND_OBJECT = 0.1  # from this share of the largest part's area, another part is an object too
_SAME_OBJECT = 0.015  # parts this close to each other, in image sides, are one object
_MAX_HOLES = 12
_GAP_WIDTH = 0.01  # half of the width of a narrow gap, in image sides
_MAX_GAPS = 0.12  # area of the narrow gaps, as a share of the silhouette's
_MAX_CHANGES = 12  # how often the border may leave a plain background
_MAX_WEAK = 0.25  # share of the outline that may lack contrast


def find_warnings(
    silhouette: np.ndarray,
    background: np.ndarray,
    num_holes: int,
    colors: np.ndarray,
    tolerance: float,
) -> tuple[str, ...]:
    """Return phrases that say why a silhouette may be wrong, e.g. "its background is not plain".

    Args:
      silhouette: bool [H, W].
      background: where the colours are the background's, bool [H, W].
      num_holes: how many parts of the background it encloses.
      colors: the photograph, float [H, W, 3] from 0 to 255.
      tolerance: difference from the background that noise does not reach, of 255.
    """
    found = {
        NOT_PLAIN: _count_changes(background) > _MAX_CHANGES,
        SEVERAL_OBJECTS: has_several_objects(silhouette),
        "its silhouette has many holes": num_holes > _MAX_HOLES,
        "its silhouette has narrow gaps": _measure_gaps(silhouette) > _MAX_GAPS,
        "parts of its outline do not stand out from the background": (
            _measure_weak_outline(silhouette, colors, tolerance) > _MAX_WEAK
        ),
    }
    return tuple(phrase for phrase, holds in found.items() if holds)


def has_several_objects(silhouette: np.ndarray) -> bool:
    """Return whether a silhouette, bool [H, W], has a second part that is large and lies apart."""
    reach = max(1, round(_SAME_OBJECT * max(silhouette.shape)))
    near = ndimage.distance_transform_edt(~silhouette) <= reach
    parts, _ = ndimage.label(near)
    areas = np.sort(np.bincount(parts[silhouette]))[::-1]
    return len(areas) > 1 and areas[1] > _SECOND_OBJECT * areas[0]


def _count_changes(background: np.ndarray) -> int:
    """Count how often one leaves the background on the way round the border."""
    sides = background[0], background[:, -1], background[-1, ::-1], background[::-1, 0]
    border = np.concatenate(sides)
    return int(np.count_nonzero(border & ~np.roll(border, -1)))


def _measure_gaps(silhouette: np.ndarray) -> float:
    """Return the area of narrow gaps, as a share of the silhouette's."""
    reach = round(_GAP_WIDTH * max(silhouette.shape)) + 1
    padded = np.pad(silhouette, 2 * reach + 1)
    near = ndimage.distance_transform_edt(~padded) <= reach
    closed = ndimage.distance_transform_edt(near) > reach
    return float((closed & ~padded).sum() / max(1, padded.sum()))


def _measure_weak_outline(silhouette: np.ndarray, colors: np.ndarray, tolerance: float) -> float:
    """Return the share of the outline's pixels around which all colours are alike."""
    outline = silhouette & ~ndimage.binary_erosion(silhouette, border_value=1)
    if not outline.any():
        return 0.0
    around = (7, 7, 1)
    contrast = ndimage.maximum_filter(colors, around) - ndimage.minimum_filter(colors, around)
    return float((contrast.max(axis=-1)[outline] < 1.5 * tolerance).mean())
