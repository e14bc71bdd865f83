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


@pytest.mark.parametrize(
    "silhouette",
    [SILHOUETTE.astype(np.uint8), SILHOUETTE.astype(float), np.where(SILHOUETTE, 0.6, 0.3)],
    ids=["uint8", "float", "soft"],
)
def test_silhouettes_may_be_numbers_from_0_to_1(silhouette):
    assert framing.window(silhouette, 0.75) == framing.window(SILHOUETTE, 0.75)
    expected = framing.frame(SILHOUETTE, 32, 0.75)
    np.testing.assert_array_equal(framing.frame(silhouette, 32, 0.75), expected)


@pytest.mark.parametrize(
    ("silhouette", "said"),
    [
        (np.uint8(SILHOUETTE) * 255, r"0 to 255: pass mask > 127"),
        (np.where(SILHOUETTE, np.nan, 0), "nan"),
        (SILHOUETTE[..., None], r"\[60, 80, 1\]: pass one channel by silhouette\[\.\.\., 0\]"),
        (SILHOUETTE[None], r"\[1, 60, 80\]: pass one channel"),
        (np.zeros([60, 80], bool), "is empty"),
    ],
)
def test_other_silhouettes_are_refused(silhouette, said):
    for take in (framing.window, lambda pixels: framing.frame(pixels, 32)):
        with pytest.raises(ValueError, match=f"silhouette .*{said}"):
            take(silhouette)
