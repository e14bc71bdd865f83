"""Batches, sizes and types of the projector's inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection.projector import Projector
from support.projections import (
    ALL_SAMPLINGS,
    ORTHOGRAPHIC,
    make,
    project,
    random_grids,
    random_viewpoints,
)


@ALL_SAMPLINGS
@pytest.mark.parametrize(("size", "image_size"), [(16, 48), (32, 20), (64, 32), (8, 16)])
def test_image_and_voxel_size_are_independent(sampling, size, image_size):
    # A box in the quarter of the grid from y = 0 to ¼ and z = −¼ to 0.
    eighth = size // 8
    voxels = np.zeros((size, size, size))
    voxels[:, 4 * eighth : 6 * eighth, 2 * eighth : 4 * eighth] = 1
    options = {"camera": ORTHOGRAPHIC, "sampling": sampling, "pooling": "max"}
    expected = np.zeros((image_size, image_size), bool)
    quarter = image_size // 4
    expected[quarter : 2 * quarter, 2 * quarter : 3 * quarter] = True
    # Between voxels, an interpolated sample falls to (½ + ⅙)² at the box's corners.
    mask = project(voxels, (0, 0), image_size, **options)[0]
    np.testing.assert_array_equal(mask > 0.4, expected)


def test_batches_of_any_size_share_one_trace():
    projector = make(8)

    @tf.function(
        input_signature=[tf.TensorSpec((None, 6, 6, 6)), tf.TensorSpec((None, 2))],
    )
    def masks_and_gradient(voxels, viewpoints):
        with tf.GradientTape() as tape:
            tape.watch(voxels)
            masks = projector([voxels, viewpoints])
        return masks, tape.gradient(masks, voxels)

    for count in (1, 3, 7):
        masks, gradient = masks_and_gradient(random_grids(count, 6, 6, 6), random_viewpoints(count))
        assert masks.shape == (count, 8, 8, 1)
        assert gradient.shape == (count, 6, 6, 6)
    assert masks_and_gradient.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64, tf.bool])
def test_voxels_of_other_types_and_whole_degrees_are_taken(dtype):
    voxels = tf.cast(random_grids(2, 6, 6, 6) > 0.7, dtype)
    viewpoints = np.array([[20, 130], [-5, 0]])
    masks = make(8)([voxels, viewpoints])
    assert masks.dtype == tf.float32
    expected = project(tf.cast(voxels, tf.float32), viewpoints, 8)
    np.testing.assert_array_equal(masks[..., 0], expected)


def test_half_precision_of_the_networks_does_not_reach_it():
    voxels, viewpoints = random_grids(2, 6, 6, 6), random_viewpoints(2)
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        masks = Projector(8, jit_compile=False)([voxels, viewpoints])
    finally:
        keras.config.set_dtype_policy(kept)
    assert masks.dtype == tf.float32
    np.testing.assert_array_equal(masks[..., 0], project(voxels, viewpoints, 8))
