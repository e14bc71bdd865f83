"""Our Adam against Keras'."""

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models.optimizers import FusedAdam


def trained(kind):
    """Weights and the optimizer's own variables after three updates."""
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    layer.set_weights([np.arange(6.0).reshape(2, 3), np.full(3, 2.0)])
    weights = layer.trainable_variables
    optimizer = kind(1e-2, 0.5, 0.9)
    optimizer.build(weights)

    @tf.function
    def update(step):
        optimizer.apply([step * (weight - 1) for weight in weights], weights)

    for step in (1.0, 2.0, 0.0):
        update(tf.constant(step))
    return [np.array(value) for value in (*weights, *optimizer.variables)]


def test_updates_are_those_of_keras():
    ours, theirs = trained(FusedAdam), trained(keras.optimizers.Adam)
    assert len(ours) == 2 + 2 + 4
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-6)
