"""Shaded pictures of voxels: the directions, the sizes, and what hides what."""

import numpy as np
import pytest

from ptn_semi.visual import shading


def grid_with(*boxes, N=16):
    """Occupied where x, y and z lie in one of the boxes ((x0, x1), (y0, y1), (z0, z1))."""
    voxels = np.zeros([N, N, N], bool)
    for box in boxes:
        voxels[tuple(slice(*side) for side in box)] = True
    return voxels


def ink_center(image):
    """Mean column and row of what is not white, from the middle, and the number of such pixels."""
    row, column = np.nonzero((image < 250).any(-1))
    middle = (len(image) - 1) / 2
    return column.mean() - middle, row.mean() - middle, len(row)


FRONT = ((8, 16), (7, 9), (7, 9))  # an arm along +x
TOP = ((7, 9), (10, 16), (7, 9))
LEFT = ((7, 9), (7, 9), (0, 6))


@pytest.mark.parametrize(
    ("arm", "viewpoint", "side"),
    [
        # The camera's right is forward × up:
        (FRONT, (0, 0), (0, 0)),  # from +x, towards us
        (FRONT, (0, 90), (-1, 0)),  # from −z, whose right is −x
        (FRONT, (90, 0), (0, 1)),  # from above with the front viewer's up: +x is at the bottom
        (TOP, (0, 45), (0, -1)),
        (LEFT, (0, 0), (1, 0)),
    ],
)
def test_parts_lie_where_the_conventions_say(arm, viewpoint, side):
    column, row, _ = ink_center(shading.shade_voxels(grid_with(arm), viewpoint, 64))
    assert np.sign(np.round([column, row], 0)).tolist() == list(side)


def test_sizes_are_those_of_the_projected_faces():
    # A half-grid cube in a picture of one grid side covers a quarter of the pixels.
    cube = grid_with(((4, 12), (4, 12), (4, 12)))
    image = shading.shade_voxels(cube, (0, 0), 64, half_width=0.5)
    assert ink_center(image) == (0, 0, 32 * 32)
    # From elsewhere, its shadow is the sum of the three faces' areas, each times its cosine.
    turned = shading.shade_voxels(cube, (30, 40), 256, half_width=0.5)
    e, a = np.radians([30, 40])
    area = np.cos(e) * (np.cos(a) + np.sin(a)) + np.sin(e)
    assert ink_center(turned)[2] == pytest.approx(area * 128**2, rel=0.02)


@pytest.mark.parametrize(("azimuth", "hidden"), [(0, True), (180, False)])
def test_nearer_parts_hide_others(azimuth, hidden):
    plate, tower = ((14, 16), (0, 16), (0, 16)), ((4, 8), (6, 10), (6, 10))
    both, alone = (
        shading.shade_voxels(voxels, (0, azimuth), 64, half_width=0.6)
        for voxels in (grid_with(plate, tower), grid_with(plate))
    )
    assert np.array_equal(both, alone) == hidden


def test_the_whole_shape_is_shown_and_nothing_of_an_empty_one():
    full = np.ones([8, 8, 8], bool)
    assert shading.bounding_radius(full) == pytest.approx(np.sqrt(3) / 2)
    for viewpoint in ((0, 45), (35.26, 45), (-60, 10)):
        image = shading.shade_voxels(full, viewpoint, 48)
        frame = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert ink_center(image)[2] > 0
        assert (frame > 128).all()  # no more than an antialiased corner
    assert (shading.shade_voxels(np.zeros([8, 8, 8]), (20, 30), 32) == 255).all()
