"""G's last layer against Keras' own transposed convolution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models.upsampling import UpsamplingToOneChannel


@pytest.mark.parametrize("kernel_size", [4, 5])
def test_values_and_gradients_are_those_of_a_transposed_convolution(kernel_size):
    inputs = tf.random.stateless_normal((2, 6, 6, 6, 3), [0, 1])
    upstream = tf.random.stateless_normal((2, 12, 12, 12, 1), [0, 2])
    ours = UpsamplingToOneChannel(kernel_size, bias_initializer=keras.initializers.Constant(0.5))
    plain = keras.layers.Conv3DTranspose(1, kernel_size, 2, "same")
    results = []
    for layer in (ours, plain):
        layer.build(inputs.shape)
        layer.set_weights(ours.get_weights())
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        targets = [inputs, *(weight.value for weight in layer.trainable_weights)]
        results.append([outputs, *tape.gradient(outputs, targets, upstream)])
    assert len(results[0]) == 4
    for mine, expected in zip(*results, strict=True):
        assert mine.shape == expected.shape
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel_size", [3, 6, (4, 5, 4)])
def test_other_kernels_are_refused(kernel_size):
    with pytest.raises(ValueError, match="4 or 5"):
        UpsamplingToOneChannel(kernel_size)
