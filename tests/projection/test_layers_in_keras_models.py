"""The projector and back-projection in other people's Keras models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.projector import Projector
from support.projections import random_viewpoints

RNG = np.random.default_rng(0)
VOXELS = (RNG.random((6, 8, 8, 8)) < 0.2).astype(np.float32)
IMAGES = RNG.random((6, 8, 8, 3)).astype(np.float32)
VIEWPOINTS = random_viewpoints(6)
BOTH = pytest.mark.parametrize(
    ("layer", "values"), [(Projector(8), VOXELS), (BackProjection(8), IMAGES)], ids=["P", "back"]
)


def use(layer, values, viewpoints):
    is_projector = isinstance(layer, Projector)
    return layer([values, viewpoints]) if is_projector else layer(values, viewpoints)


@pytest.mark.parametrize(("policy", "jit_compile"), [("float32", True), ("mixed_bfloat16", False)])
def test_a_functional_model_trains_and_is_saved(tmp_path, policy, jit_compile):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        images, viewpoints = keras.Input((8, 8, 3)), keras.Input((2,))
        grid = BackProjection(8)(images, viewpoints)
        voxels = keras.layers.Conv3D(1, 3, padding="same", activation="sigmoid")(grid)
        masks = Projector(8)([keras.layers.Reshape((8, 8, 8))(voxels), viewpoints])
        model = keras.Model([images, viewpoints], [grid, masks])
    finally:
        keras.config.set_dtype_policy(before)
    model.compile("sgd", ["mse", "mse"], jit_compile=jit_compile)
    inputs, weights = [IMAGES, VIEWPOINTS], model.get_weights()
    grid, masks = model.predict_on_batch(inputs)
    # In half precision the viewpoints keep theirs: every voxel reads the same pixel.
    np.testing.assert_allclose(grid, BackProjection(8)(*inputs), rtol=4e-3)
    assert masks.dtype == np.float32 and grid.dtype.name == policy.removeprefix("mixed_")
    model.train_on_batch(inputs, [grid, np.zeros_like(masks)])
    assert not np.array_equal(model.get_weights()[0], weights[0])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").predict_on_batch(inputs)
    for loaded, saved in zip(again, model.predict_on_batch(inputs), strict=True):
        np.testing.assert_array_equal(loaded, saved)


@BOTH
@pytest.mark.parametrize("steps", [3, None])
def test_time_distributed_from_one_viewpoint(layer, values, steps):
    inner = keras.Input(values.shape[1:])
    from_there = keras.Model(inner, use(layer, inner, VIEWPOINTS[:1]))
    sequence = keras.Input((steps, *values.shape[1:]))
    model = keras.Model(sequence, keras.layers.TimeDistributed(from_there)(sequence))
    made = model.predict(values.reshape(2, 3, *values.shape[1:]), verbose=0)
    expected = use(layer, values, VIEWPOINTS[:1]).numpy()
    np.testing.assert_array_equal(made.reshape(expected.shape), expected)


@BOTH
@pytest.mark.parametrize("jit_compile", [False, True])
def test_map_fn_and_its_gradient(layer, values, jit_compile):
    @tf.function(jit_compile=jit_compile)
    def mapped(values):
        one = lambda pair: use(layer, pair[0][None], pair[1][None])[0]
        made = tf.map_fn(one, (values, VIEWPOINTS), fn_output_signature=tf.float32)
        return made, tf.gradients(made, values)[0]

    made, gradient = mapped(values := tf.constant(values))
    with tf.GradientTape() as tape:
        tape.watch(values)
        expected = use(layer, values, VIEWPOINTS)
    np.testing.assert_allclose(made, expected, atol=1e-6)
    np.testing.assert_allclose(gradient, tape.gradient(expected, values), atol=1e-5)
