"""Photographs before a plain background: the object is found, or there is a warning."""

import numpy as np
import pytest

from ptn_semi.inference import plain_background
from support.photographs import KINDS, photograph

PLAIN = [kind for kind in KINDS if kind not in ("two", "carpet")]
BROWN = [120, 70, 30]


def iou(found, expected):
    return (found & expected).sum() / max(1, (found | expected).sum())


@pytest.mark.parametrize("kind", PLAIN)
def test_objects_are_found_or_there_is_a_warning(kind):
    ious = []
    for seed in range(3):
        image, expected = photograph(kind, seed)
        silhouette, warnings = plain_background.segment(np.asarray(image))
        ious.append(iou(silhouette, expected))
        assert ious[-1] >= 0.9 or warnings
    assert np.median(ious) >= 0.9, ious


def test_large_photographs_give_silhouettes_of_their_size():
    image, expected = photograph("plain", 0)
    large = image.resize((image.width * 5, image.height * 5))
    silhouette, _ = plain_background.segment(np.asarray(large))
    assert iou(silhouette, expected.repeat(5, 0).repeat(5, 1)) > 0.93


def test_holes_are_kept():
    pixels = np.full([200, 300, 3], 128, np.uint8)
    pixels[40:160, 60:240] = BROWN
    pixels[70:130, 90:210] = 128  # what is seen through an armrest
    silhouette, warnings = plain_background.segment(pixels)
    np.testing.assert_array_equal(silhouette, (pixels != 128).any(axis=-1))
    assert not warnings


def slits():
    pixels = np.full([200, 300, 3], 128, np.uint8)
    pixels[40:160, 60:240] = BROWN
    pixels[44:160:8, 60:240] = pixels[45:160:8, 60:240] = 128
    return pixels


def an_l_or_a_white_square():
    pixels = np.full([200, 200, 3], 255, np.uint8)
    pixels[:, :60] = pixels[140:] = BROWN
    return pixels


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        *((np.asarray(photograph("two", seed)[0]), "several objects") for seed in range(3)),
        (slits(), "narrow gaps"),
        (an_l_or_a_white_square(), "two colours"),
    ],
)
def test_uncertain_silhouettes_give_warnings(pixels, said):
    _, warnings = plain_background.segment(pixels)
    assert any(said in warning for warning in warnings)


@pytest.mark.parametrize("seed", range(3))
def test_a_patterned_background_is_not_plain(seed):
    image, _ = photograph("carpet", seed)
    found = plain_background.segment(np.asarray(image))
    assert found is None or found[1]
