"""Framing: silhouettes become masks like those of the training."""

import numpy as np
import pytest

from ptn_semi.data import framing

SILHOUETTE = np.zeros([60, 80], bool)
SILHOUETTE[10:50, 20:40] = SILHOUETTE[40:50, 20:60] = True  # an L


@pytest.mark.parametrize("turn", [0, 1])
def test_objects_are_centred_and_scaled(turn):
    mask = framing.frame(np.rot90(SILHOUETTE, turn), 32, 0.75)
    assert mask.shape == (32, 32, 1) and set(np.unique(mask)) == {0, 1}
    left, top, right, bottom = framing.bounding_box(mask[..., 0])
    assert (right - left, bottom - top) == (24, 24)
    assert left + right == top + bottom == 32
    assert framing.extent(mask[None]) == 0.75


@pytest.mark.parametrize(("height", "box"), [(64, (8, 0, 20, 4)), (32, (8, 8, 20, 12))])
def test_the_images_own_frame_is_kept_and_a_wide_one_padded(height, box):
    mask = np.zeros([64, 64], bool)
    mask[0:8, 16:40] = True
    assert framing.bounding_box(framing.frame(mask[:height], 32)[..., 0]) == box


def test_thin_parts_stay():
    silhouette = np.zeros([256, 256], bool)
    silhouette[20:236, 100:103] = True  # under half a pixel wide in the mask
    silhouette[20:60, 20:236] = True
    assert framing.frame(silhouette, 32)[10:29].any(axis=(1, 2)).all()
