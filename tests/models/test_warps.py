"""Random warps: what stays, what changes, and that only (seed) decides."""

import numpy as np
import pytest

from ptn_semi.models import warps

N = 32


def box(x, y, z):
    """A centred box of so many voxels (even) along each axis, in [1, N, N, N]."""
    voxels = np.zeros((1, N, N, N), np.float32)
    low = [(N - side) // 2 for side in (x, y, z)]
    voxels[0, low[0] : N - low[0], low[1] : N - low[1], low[2] : N - low[2]] = 1
    return voxels


def sides(voxels):
    """Voxels from the first to the last occupied one along each axis, [B, 3]."""
    filled = [voxels.max(axis=tuple({1, 2, 3} - {axis})) > 0 for axis in (1, 2, 3)]
    return np.stack([N - f.argmax(1) - f[:, ::-1].argmax(1) for f in filled], axis=1)


def test_boxes_stay_centred_boxes_as_long_as_before():
    boxes = np.repeat(np.concatenate([box(32, 20, 12), box(16, 30, 16)]), 50, axis=0)
    warped = warps.random_warp(boxes, [3, 1], 0.25).numpy()
    assert set(np.unique(warped)) == {0, 1}
    before, after = sides(boxes), sides(warped)
    assert abs(after.max(axis=1) - before.max(axis=1)).max() <= 2  # half a voxel at each end
    np.testing.assert_array_equal(warped.sum(axis=(1, 2, 3)), after.prod(axis=1))  # boxes
    for axis in (1, 2, 3):
        flipped = np.flip(warped, axis)
        assert abs(flipped - warped).mean() < 0.02  # centred
    # Shorter sides come out shorter and longer, by no more than the two stretches together.
    ratio = after[:50, 2] / before[:50, 2]
    assert ratio.min() < 0.85 and ratio.max() > 1.15
    assert np.exp(-0.55) <= ratio.min() and ratio.max() <= np.exp(0.55)


def test_pieces_of_an_axis_stretch_on_their_own():
    # Two thin slabs: a common factor would keep where they lie between the ends.
    voxels = np.repeat(box(32, 32, 32), 64, axis=0)
    voxels[:, :, 9:15] = 0
    warped = warps.random_warp(voxels, [0, 0], 0.25).numpy()
    start = (warped[:, 16, :, 16] == 0).argmax(axis=1)
    width = (warped[:, 16, :, 16] == 0).sum(axis=1)
    assert len(np.unique(start[width > 0])) > 3
    assert len(np.unique(width)) > 3


def test_each_shape_has_its_own_warp_and_the_seed_decides():
    voxels = np.repeat(box(30, 20, 10), 8, axis=0)
    first, again, other = (warps.random_warp(voxels, [seed, 5], 0.25).numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len(np.unique(sides(first), axis=0)) > 4


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_nothing_stays_nothing_and_a_full_grid_full_along_its_longest_side(fill):
    voxels = np.full((4, N, N, N), fill, np.float32)
    warped = warps.random_warp(voxels, [0, 1], 0.25).numpy()
    assert np.isfinite(warped).all()
    if fill:
        assert (sides(warped).max(axis=1) >= N - 2).all()
    else:
        assert not warped.any()
