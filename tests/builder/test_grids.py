"""Turning, centring, resizing and filling voxel grids."""

import itertools

import numpy as np
import pytest

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import grids

PAIRS = [(u, f) for u, f in itertools.product(grids.AXES, repeat=2) if u[1] != f[1]]


@pytest.mark.parametrize(("up", "front"), PAIRS)
def test_turns_are_rotations_of_the_centres_of_voxels(up, front):
    matrix = grids.axes_matrix(up, front)
    assert round(np.linalg.det(matrix)) == 1
    voxels = np.zeros((8, 8, 8), bool)
    voxels[2, 1:7, 3] = voxels[2:6, 1, 3] = voxels[2, 1, 3:5] = True  # a boot, not symmetric
    turned = np.argwhere(grids.turn(voxels, up, front)) - 3.5
    expected = (np.argwhere(voxels) - 3.5) @ matrix.T
    assert sorted(turned.tolist()) == sorted(expected.tolist())


def test_shapenet_core_is_turned_to_face_x():
    core = np.zeros((4, 4, 4), bool)
    core[0, 0, 0] = core[1, 0, 0] = core[0, 2, 0] = True  # at the front (z = 0): right 1, up 2
    turned = grids.turn(core, "+y", "-z")
    assert np.argwhere(turned).tolist() == [[3, 0, 0], [3, 0, 1], [3, 2, 0]]


@pytest.mark.parametrize(("up", "front"), [("y", "+x"), ("+y", "up"), ("+y", "-y"), ("", "+x")])
def test_bad_axes_name_the_flag(up, front):
    with pytest.raises(UserError, match="--mesh_"):
        grids.axes_matrix(up, front)


@pytest.mark.parametrize(
    ("corner", "shape"),
    [((64, 0, 88), (64, 32, 16)), ((13, 7, 21), (64, 32, 16)), ((3, 5, 7), (8, 4, 2))],
)
def test_reduce_spans_and_centres_wherever_the_object_was(corner, shape):
    voxels = np.zeros((128, 128, 128), bool)
    voxels[tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))] = True
    expected = np.zeros((32, 32, 32), bool)
    expected[:, 8:24, 12:20] = True
    np.testing.assert_array_equal(grids.reduce(voxels, 32), expected)


@pytest.mark.parametrize("place", range(0, 8, 3))
def test_reduce_keeps_parts_one_voxel_thick_wherever_they_lie(place):
    voxels = np.zeros((128, 128, 128), bool)
    voxels[:, 60:64, :] = True  # a table top
    voxels[30 + place, :60, 50 + place] = True  # a leg
    reduced = grids.reduce(voxels, 32)
    legs = reduced[:, 8:23].sum(axis=(0, 2))
    assert (legs == 1).all()  # there at every height and never thicker than a cell


def test_reduce_leaves_out_specks():
    voxels = np.zeros((128, 128, 128), bool)
    voxels[:, :8, :] = True
    voxels[64, 100, 64] = True
    assert not grids.reduce(voxels, 32)[:, 6:].any()
    voxels[:] = False
    voxels[0, 0, 0] = voxels[127, 127, 127] = True  # nothing but specks: they are all there is
    assert grids.reduce(voxels, 32).sum() == 2


def test_reduce_is_symmetric_for_symmetric_objects():
    rng = np.random.default_rng(0)
    half = rng.random((64, 64, 32)) < 0.02
    voxels = np.concatenate([half, half[:, :, ::-1]], axis=2)
    voxels[0, 0] = voxels[-1, -1] = True
    reduced = grids.reduce(voxels, 32)
    np.testing.assert_array_equal(reduced, reduced[:, :, ::-1])


def test_resize_keeps_the_same_size_and_doubles_exactly():
    voxels = np.random.default_rng(1).random((16, 16, 16)) < 0.2
    assert grids.resize(voxels, 16) is voxels
    doubled = grids.resize(voxels, 32)
    for shift in itertools.product((0, 1), repeat=3):
        np.testing.assert_array_equal(doubled[shift[0] :: 2, shift[1] :: 2, shift[2] :: 2], voxels)


def test_fill_holes_fills_cavities_and_leaves_cups():
    shell = np.ones((7, 7, 7), bool)
    shell[1:6, 1:6, 1:6] = False
    assert grids.fill_holes(shell).all()
    cup = shell.copy()
    cup[1:6, 6, 1:6] = False
    np.testing.assert_array_equal(grids.fill_holes(cup), cup)
    assert not grids.fill_holes(np.zeros((3, 3, 3), bool)).any()
