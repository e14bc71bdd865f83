"""Photographs before a plain background: the object is found, or the doubt is said."""

import numpy as np
import pytest

from ptn_semi.inference import plain_background
from support.photographs import KINDS, photograph

PLAIN = [kind for kind in KINDS if kind not in ("two", "carpet")]


def found_in(kind, seed):
    image, expected = photograph(kind, seed)
    found = plain_background.segment(np.asarray(image))
    overlap = (found.silhouette & expected).sum() / max(1, (found.silhouette | expected).sum())
    return found, overlap


@pytest.mark.parametrize("kind", PLAIN)
def test_objects_are_found(kind):
    overlaps, doubts = zip(
        *(
            (overlap, found.doubts)
            for found, overlap in (found_in(kind, seed) for seed in range(4))
        ),
        strict=True,
    )
    right = [overlap >= 0.9 for overlap in overlaps]
    assert np.mean(right) >= 0.75, overlaps
    # What is not right is not silent.
    assert all(well or doubt for well, doubt in zip(right, doubts, strict=True)), overlaps


@pytest.mark.parametrize("seed", range(3))
def test_two_objects_are_doubtful(seed):
    found, _ = found_in("two", seed)
    assert any("several objects" in doubt for doubt in found.doubts)


@pytest.mark.parametrize("seed", range(3))
def test_a_patterned_background_is_not_plain(seed):
    image, _ = photograph("carpet", seed)
    found = plain_background.segment(np.asarray(image))
    assert found is None or found.doubts


def test_slits_are_doubtful_and_holes_are_kept():
    pixels = np.full([200, 300, 3], 128, np.uint8)
    pixels[40:160, 60:240] = [120, 70, 30]
    pixels[70:130, 90:210] = 128  # what is seen through an armrest
    expected = (pixels != 128).any(axis=-1)
    found = plain_background.segment(pixels)
    np.testing.assert_array_equal(found.silhouette, expected)
    assert not found.doubts
    pixels[:] = 128
    pixels[40:160, 60:240] = [120, 70, 30]
    pixels[44:160:8, 60:240] = pixels[45:160:8, 60:240] = 128
    assert any("gaps" in doubt for doubt in plain_background.segment(pixels).doubts)


def test_two_possible_backgrounds_are_doubtful():
    pixels = np.full([200, 200, 3], 255, np.uint8)
    pixels[:, :60] = pixels[140:] = [120, 70, 30]  # an L, or a white square before brown
    assert any("two colours" in doubt for doubt in plain_background.segment(pixels).doubts)


def test_large_photographs_give_silhouettes_of_their_size():
    image, expected = photograph("plain", 0)
    large = image.resize((image.width * 5, image.height * 5))
    found = plain_background.segment(np.asarray(large))
    expected = expected.repeat(5, 0).repeat(5, 1)
    assert found.silhouette.shape == expected.shape
    assert (found.silhouette & expected).sum() / (found.silhouette | expected).sum() > 0.93
