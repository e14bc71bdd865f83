"""Smooth sampling: a slow projector written another way, and the adjoint."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection import rays
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from support.projections import random_grids, random_viewpoints
from tools.benchmarks.references import project_with_gathers

CASES = pytest.mark.parametrize(
    ("size", "field_of_view", "viewpoint"),
    [(6, 35, (25, 130)), (6, 35, (-60, -20)), (9, 55, (10, 45))],  # the last sees all the diagonal
)
CAMERAS = {
    "default": Camera(),
    "close": Camera(distance=1.01),  # rays nearly meet on the nearest plane
    "ortho": Camera(perspective=False),
}


def interpolated(grid, place):
    """The grid at a place, whose whole numbers are voxel centres; zero outside."""
    total = 0
    for voxel in itertools.product(*((int(x), int(x) + 1) for x in np.floor(place))):
        if all(0 <= i < size for i, size in zip(voxel, grid.shape, strict=True)):
            total += grid[voxel] * np.prod(1 - abs(place - voxel))
    return total


def turned_by_azimuth(voxels, azimuth):
    """The voxels on a lattice that a camera at azimuth 0 sees as this camera sees the voxels.

    Its x axis is towards a level camera, its z axis against the camera's right; y stays.
    """
    size = len(voxels)
    width = 2 * size + size % 2  # more than enough
    azimuth = np.radians(azimuth)
    level = np.array([np.cos(azimuth), 0, -np.sin(azimuth)])
    right = np.array([-np.sin(azimuth), 0, -np.cos(azimuth)])
    lattice = np.zeros((width, size, width))
    for i, j, k in np.ndindex(lattice.shape):
        point = (i - (width - 1) / 2) * level - (k - (width - 1) / 2) * right
        place = point + (size - 1) / 2
        place[1] = j  # a layer's own: bilinear
        lattice[i, j, k] = interpolated(voxels, place)
    return lattice


def slow_perspective_mask(grid, voxel_size, viewpoint, camera, image_size):
    """Follows each ray from the camera's place; absorption, trilinear, one sample per plane.

    The grid may have more voxels around those that make up the unit grid.
    """
    elevation, azimuth = np.radians(np.asarray(viewpoint, float))
    towards = np.array([np.cos(azimuth), 0, -np.sin(azimuth)]) * np.cos(elevation)
    towards[1] = np.sin(elevation)
    right = np.cross([0, 1, 0], towards) / np.cos(elevation)
    up = np.cross(towards, right)
    depths = rays.depths(voxel_size) / voxel_size
    slope = np.tan(np.radians(camera.field_of_view) / 2)
    mask = np.zeros((image_size, image_size))
    for row, column in np.ndindex(mask.shape):
        across = slope * (2 * (column + 0.5) / image_size - 1)
        height = slope * (1 - 2 * (row + 0.5) / image_size)
        ray = across * right + height * up - towards  # per unit of distance from the camera
        points = (camera.distance * towards + (camera.distance - d) * ray for d in depths)
        middle = (np.array(grid.shape) - 1) / 2
        total = sum(interpolated(grid, point * voxel_size + middle) for point in points)
        mask[row, column] = 1 - np.exp(-total)
    return mask


@CASES
def test_perspective_masks_equal_slow_ones(size, field_of_view, viewpoint):
    camera = Camera(distance=1.8, field_of_view=field_of_view)
    voxels, (elevation, azimuth) = random_grids(size, size, size) / 4, viewpoint
    projector = Projector(7, camera, "smooth", jit_compile=False)
    mask = projector([voxels[None], np.array([viewpoint], np.float32)])[0, ..., 0]
    turned = turned_by_azimuth(voxels, azimuth)
    expected = slow_perspective_mask(turned, size, (elevation, 0), camera, 7)
    np.testing.assert_allclose(mask, expected, atol=2e-6)


@CASES
def test_reference_masks_equal_slow_ones(size, field_of_view, viewpoint):
    camera = Camera(distance=1.8, field_of_view=field_of_view)
    voxels = random_grids(size, size, size) / 4
    mask = project_with_gathers(voxels[None], np.array([viewpoint], np.float32), 7, camera)
    expected = slow_perspective_mask(voxels, size, viewpoint, camera, 7)
    np.testing.assert_allclose(mask[0, ..., 0], expected, atol=2e-6)


# Pixels much smaller than voxels, much larger, and so small that a voxel meets a whole row.
@pytest.mark.parametrize(
    ("camera", "size", "image_size"), [("default", 16, 48), ("ortho", 32, 8), ("close", 3, 12)]
)
def test_the_gradient_to_voxels_is_the_adjoint(camera, size, image_size):
    count = 12
    voxels = tf.constant(random_grids(count, size, size, size))
    weights = random_grids(count, image_size, image_size, seed=1)
    # The first weigh one pixel alone, so that no sample is lost in the sum.
    weights[: count // 2] *= weights[: count // 2] == weights[: count // 2].max((1, 2), keepdims=1)
    sampler = Projector(image_size, CAMERAS[camera], "smooth", jit_compile=False)._sampler
    with tf.GradientTape() as tape:
        tape.watch(voxels)
        sums = sampler.sums(voxels, tf.constant(random_viewpoints(count)))
    back = tape.gradient(sums, voxels, weights)
    there, again = (
        (a.numpy().astype(float) * b).reshape(count, -1).sum(axis=1)
        for a, b in ((sums, weights), (back, voxels.numpy()))
    )
    assert there.min() > 0.01
    np.testing.assert_allclose(again, there, rtol=1e-5)
