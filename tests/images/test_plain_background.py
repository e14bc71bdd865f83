"""Photographs before a plain background: the object is found, or there is a warning."""

import numpy as np
import pytest

from ptn_semi.images import plain_background
from support.photographs import PLAIN_KINDS, photograph

BROWN = [120, 70, 30]


def iou(found, expected):
    return (found & expected).sum() / max(1, (found | expected).sum())


@pytest.mark.parametrize(
    ("kind", "seed"), [*((kind, 0) for kind in PLAIN_KINDS), *(("floor", i) for i in range(4))]
)
def test_objects_are_found(kind, seed):
    image, expected = photograph(kind, seed)
    silhouette, warnings = plain_background.segment(np.asarray(image))
    assert iou(silhouette, expected) > 0.95 and not warnings


def test_large_photographs_give_silhouettes_of_their_size():
    image, expected = photograph("plain", 0)
    large = image.resize((image.width * 3, image.height * 3))
    silhouette, _ = plain_background.segment(np.asarray(large))
    assert iou(silhouette, expected.repeat(3, 0).repeat(3, 1)) > 0.93


def test_holes_are_kept():
    pixels = np.full([200, 300, 3], 128, np.uint8)
    pixels[40:160, 60:240] = BROWN
    pixels[70:130, 90:210] = 128  # what is seen through an armrest
    silhouette, warnings = plain_background.segment(pixels)
    np.testing.assert_array_equal(silhouette, (pixels != 128).any(axis=-1))
    assert not warnings


def test_a_hole_may_show_both_the_wall_and_the_floor():
    pixels = np.full([200, 300, 3], 230, np.uint8)
    pixels[110:] = [180, 165, 150]
    background = pixels.copy()
    pixels[40:180, 60:240] = [30, 60, 120]
    pixels[80:140, 100:200] = background[80:140, 100:200]
    silhouette, warnings = plain_background.segment(pixels)
    np.testing.assert_array_equal(silhouette, (pixels != background).any(axis=-1))
    assert not warnings


def test_a_table_over_the_whole_picture_is_not_a_wall():
    pixels = np.full([200, 300, 3], 245, np.uint8)
    pixels[:60] = pixels[60:, 20:50] = pixels[60:, 250:280] = BROWN
    _, warnings = plain_background.segment(pixels)
    assert warnings


def test_a_dark_table_top_at_the_border_is_not_a_wall():
    table = np.zeros((200, 300), bool)
    table[:30] = table[30:190, 10:24] = table[30:190, 276:290] = True  # a top and two legs
    pixels = np.where(table[..., None], BROWN, 225) + np.random.default_rng(0).normal(
        0, 1.5, (200, 300, 3)
    )
    silhouette, warnings = plain_background.segment(pixels.astype(np.uint8))
    assert iou(silhouette, table) > 0.95 and any("two colours" in each for each in warnings)


def test_uncertain_silhouettes_give_warnings():
    slits = np.full([200, 300, 3], 128, np.uint8)
    slits[40:160, 60:240] = BROWN
    slits[44:160:8, 60:240] = slits[45:160:8, 60:240] = 128
    an_l_or_a_white_square = np.full([200, 200, 3], 255, np.uint8)
    an_l_or_a_white_square[:, :60] = an_l_or_a_white_square[140:] = BROWN
    two = np.asarray(photograph("two", 0)[0])
    for pixels, said in (
        (two, "several objects"),
        (slits, "the colour of its background"),
        (an_l_or_a_white_square, "two colours"),
    ):
        _, warnings = plain_background.segment(pixels)
        assert any(said in warning for warning in warnings)


def test_a_patterned_background_is_not_plain():
    image, _ = photograph("carpet", 0)
    found = plain_background.segment(np.asarray(image))
    assert found is None or found[1]
