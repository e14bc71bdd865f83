"""Our batch norm against Keras'."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models.normalization import FusedBatchNormalization


def both(shape, **options):
    """Our layer and Keras', with equal weights."""
    layers = FusedBatchNormalization(**options), keras.layers.BatchNormalization(**options)
    for layer in layers:
        layer.build(shape)
        generator = np.random.default_rng(0)
        layer.set_weights([generator.random(w.shape) + 0.5 for w in layer.weights])
    return layers


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 3, 2), (3, 4, 4, 4, 2), (1, 3)])
def test_values_gradients_and_statistics_are_those_of_keras(shape):
    inputs = 3 + 2 * tf.random.stateless_normal(shape, [0, 1])
    upstream = tf.random.stateless_normal(shape, [0, 2])
    results = []
    for layer in both(shape, momentum=0.9):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        targets = [inputs, layer.gamma.value, layer.beta.value]
        results.append([outputs, *tape.gradient(outputs, targets, upstream), *layer.weights])
    for mine, expected in zip(*results, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{"training": False}, {"training": True, "frozen": True}])
def test_at_test_time_and_frozen_the_moving_statistics_count(options):
    ours, plain = both((4, 2))
    ours.trainable = plain.trainable = not options.pop("frozen", False)
    inputs = tf.random.stateless_normal((4, 2), [0, 1])
    np.testing.assert_array_equal(ours(inputs, **options), plain(inputs, **options))
    np.testing.assert_array_equal(ours.moving_mean, plain.moving_mean)
