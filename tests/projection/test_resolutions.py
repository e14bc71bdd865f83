"""Masks and voxels at several resolutions."""

import numpy as np
import pytest

from ptn_semi.projection import resolutions
from ptn_semi.projection.projector import Projector


@pytest.mark.parametrize(
    ("image_size", "voxel_size", "coarse", "fine"),
    [
        (32, 32, 32, 32),
        (128, 32, 32, 128),
        (128, 64, 64, 128),
        (100, 32, 50, 100),  # a third is no whole number
        (137, 32, 137, 137),
        (32, 64, 32, 64),
        (9, 64, 9, 72),
    ],
)
def test_sides_differ_by_whole_factors(image_size, voxel_size, coarse, fine):
    assert resolutions.coarse_side(image_size, voxel_size) == coarse
    assert resolutions.fine_side(image_size, voxel_size) == fine


def test_coarse_is_the_mean_of_blocks():
    random = np.random.default_rng(0)
    masks, voxels = (random.random(shape, np.float32) for shape in [(2, 6, 6, 1), (2, 6, 6, 6)])
    expected = masks.reshape(2, 3, 2, 3, 2, 1).mean((2, 4))
    np.testing.assert_allclose(resolutions.coarse_masks(masks, 3), expected, rtol=1e-6)
    expected = voxels.reshape(2, 2, 3, 2, 3, 2, 3).mean((2, 4, 6))
    np.testing.assert_allclose(resolutions.coarse_voxels(voxels, 2), expected, rtol=1e-6)
    assert resolutions.coarse_masks(masks, 6) is masks
    assert resolutions.coarse_voxels(voxels, 6) is voxels


def test_repeated_voxels_have_the_same_mean():
    voxels = np.random.default_rng(0).random((2, 3, 3, 3), np.float32)
    finer = resolutions.repeated_voxels(voxels, 6)
    assert finer.shape == (2, 6, 6, 6)
    np.testing.assert_allclose(resolutions.coarse_voxels(finer, 3), voxels, rtol=1e-6)
    assert resolutions.repeated_voxels(voxels, 3) is voxels


def test_thin_parts_show_in_masks_that_are_coarser_than_the_voxels():
    # A pole of one voxel passes between the rays of a mask of half the resolution.
    voxels = np.zeros((1, 64, 64, 64), np.float32)
    voxels[0, 32, 8:56, 32] = 1
    viewpoints = np.float32([[0, 0]])
    masks = resolutions.render(Projector(64, jit_compile=False), voxels, viewpoints, 32).numpy()
    assert masks.shape == (1, 32, 32, 1) and set(np.unique(masks)) == {0, 1}
    rows = masks[0, :, :, 0].sum(axis=1)
    assert 20 <= (rows > 0).sum() <= 28 and rows.max() <= 2
    assert (rows[8:24] > 0).all()  # without a gap
