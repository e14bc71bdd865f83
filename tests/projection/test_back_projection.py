"""Back-projection: a voxel reads the pixel that the projector shows it in."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.projection.back_projection import BackProjection
from support.projections import CAMERAS, project, random_viewpoints

SIZE = 16


def back_project(images, viewpoints, camera, **options):
    return BackProjection(SIZE, camera, **options)(
        tf.constant(images), tf.constant(viewpoints)
    ).numpy()


@CAMERAS
def test_a_voxel_reads_a_pixel_that_shows_it(camera):
    viewpoints = random_viewpoints(20)
    rng = np.random.default_rng(0)
    voxels = np.zeros((20, SIZE, SIZE, SIZE), np.float32)
    # One voxel each, well inside the image: wide shapes may be cut at its sides.
    places = rng.integers(4, 12, (20, 3))
    voxels[np.arange(20), *places.T] = 1
    masks = project(voxels, viewpoints, image_size=SIZE, camera=camera) > 0
    grid = back_project(masks[..., None].astype(np.float32), viewpoints, camera)
    assert grid.shape == (20, SIZE, SIZE, SIZE, 1)
    # The projector samples pixels' middles, and back-projection voxels': they may miss each other.
    assert grid[np.arange(20), *places.T].mean() > 0.7
    # Far from the voxel's ray there is nothing to read.
    assert grid.mean() < 0.05


def test_voxels_outside_the_image_read_zeros():
    ones = np.ones((1, SIZE, SIZE, 1), np.float32)
    grid = back_project(ones, np.array([[0, 45]], np.float32), None)
    assert not grid[0, 0, :, 0].any() or not grid[0, 0, :, -1].any()  # a corner of the grid
    assert grid[0, 6:10, 6:10, 6:10].all()


def test_the_position_is_depth_and_height():
    viewpoints = random_viewpoints(3)
    grid = back_project(np.zeros((3, 8, 8, 2), np.float32), viewpoints, None, position=True)
    assert grid.shape == (3, SIZE, SIZE, SIZE, 4)
    backward = geometry.rotation(viewpoints).numpy()[:, 2]
    centres = (np.stack(np.mgrid[:SIZE, :SIZE, :SIZE], -1) + 0.5) / SIZE - 0.5
    np.testing.assert_allclose(
        grid[..., 2], np.einsum("xyzc,bc->bxyz", centres, backward), atol=1e-6
    )
    np.testing.assert_allclose(
        grid[..., 3], np.broadcast_to(centres[..., 1], grid[..., 3].shape), atol=1e-6
    )


def test_the_gradient_is_how_many_voxels_read_a_pixel():
    images = tf.Variable(np.random.default_rng(0).random((2, 8, 8, 1), np.float32))
    viewpoints = tf.constant(random_viewpoints(2))
    with tf.GradientTape() as tape:
        grid = BackProjection(SIZE)(images, viewpoints)
        total = tf.reduce_sum(grid)
    gradient = tape.gradient(total, images).numpy()
    assert gradient.sum() == pytest.approx(np.count_nonzero(grid), abs=0.5)
