"""Objects that stripes in the background's colour cut to pieces."""

import numpy as np
import pytest
from scipy import ndimage

from ptn_semi.images import plain_background, silhouette_warnings, stripes

SHAPE = (200, 300)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
DISC = (X - 150) ** 2 / 2 + (Y - 100) ** 2 < 70**2
OUTLINE = DISC & ~ndimage.binary_erosion(DISC, iterations=2)
BANDS = (Y + X // 2) % 30 < 14


def iou(found, expected):
    return (found & expected).sum() / (found | expected).sum()


@pytest.mark.parametrize("outlined", [True, False])
def test_stripes_are_filled_with_a_warning(outlined):
    striped = DISC & ~BANDS | (OUTLINE if outlined else False)
    assert iou(striped, DISC) < 0.6
    silhouette, was_in_pieces = stripes.mend(striped)
    assert was_in_pieces and iou(silhouette, DISC) > 0.9
    noise = np.random.default_rng(0).normal(0, 2, [*SHAPE, 3])
    pixels = np.where(striped[..., None], [180, 170, 30], 250) + noise
    silhouette, warnings = plain_background.segment(pixels.clip(0, 255).astype(np.uint8))
    assert iou(silhouette, DISC) > 0.9 and silhouette_warnings.IN_PIECES in warnings


def test_two_objects_are_not_joined():
    two = DISC & (abs(X - 150) > 6)
    silhouette, was_in_pieces = stripes.mend(two)
    assert was_in_pieces
    np.testing.assert_array_equal(silhouette, two)


LAMP = (Y < 60) & (abs(X - 150) < 40) | (Y > 150) & (abs(X - 150) < 40) | (abs(X - 150) < 2)
ARMCHAIR = (abs(X - 150) < 80) & (abs(Y - 100) < 80) & ~((abs(X - 120) < 40) & (abs(Y - 70) < 25))
SPECTACLES = (abs(np.hypot(X - 90, Y - 100) - 50) < 2) | (abs(np.hypot(X - 192, Y - 100) - 50) < 2)


@pytest.mark.parametrize("shape", [DISC, LAMP, ARMCHAIR, SPECTACLES])
def test_objects_with_holes_and_thin_parts_stay_as_they_are(shape):
    silhouette, was_in_pieces = stripes.mend(shape)
    assert not was_in_pieces
    np.testing.assert_array_equal(silhouette, shape)
