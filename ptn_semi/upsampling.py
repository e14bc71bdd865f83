"""G's last layer: a transposed convolution to one channel, several times faster on a CPU.

With one output channel the CPU's kernel for transposed convolutions has nothing to run vectors over
(15 GFLOP/s where others reach 200). As each output cell of 2³ depends on the 3³ inputs around it,
the same sums are an ordinary convolution to 8 channels, one per place in the cell.
"""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ptn_semi")
class UpsamplingToOneChannel(keras.layers.Conv3DTranspose):
    """A `keras.layers.Conv3DTranspose` of one filter, stride 2 and "same" padding.

    Weights and values are that layer's, but for rounding.

    Args:
      kernel_size: 4 or 5.

    Input shape: [B, N, N, N, C].
    Output shape: [B, 2N, 2N, 2N, 1].
    """

    def __init__(self, kernel_size, **kwargs):
        for name in ("filters", "strides", "padding"):
            kwargs.pop(name, None)  # in the config of a saved layer
        super().__init__(1, kernel_size, 2, "same", **kwargs)
        if self.kernel_size[0] not in (4, 5) or len(set(self.kernel_size)) != 1:
            raise ValueError(f"the kernel size is 4 or 5, not {kernel_size}")

    def call(self, inputs):
        """Upsampled inputs; see the class."""
        kernel = tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype)
        outputs = _upsample(inputs, kernel)
        if self.use_bias:
            outputs += tf.cast(tf.convert_to_tensor(self.bias), inputs.dtype)
        return self.activation(outputs)


@tf.custom_gradient
def _upsample(inputs, kernel):
    """[B, 2N, 2N, 2N, 1] of inputs [B, N, N, N, C] and a kernel [k, k, k, 1, C]."""

    def gradient(upstream):
        # The way back is a plain convolution, which is fast already.
        to_inputs = tf.nn.conv3d(upstream, kernel, [1, 2, 2, 2, 1], "SAME")
        to_kernel = tf.raw_ops.Conv3DBackpropFilterV2(
            input=upstream, filter_sizes=kernel.shape, out_backprop=inputs,
            strides=[1, 2, 2, 2, 1], padding="SAME",
        )  # fmt: skip
        return to_inputs, to_kernel

    size = inputs.shape[1]
    cells = tf.nn.conv3d(inputs, _cell_kernel(kernel), [1] * 5, "SAME")  # [B, N, N, N, 8]
    cells = tf.reshape(cells, [-1, size, size, size, 2, 2, 2])
    outputs = tf.reshape(tf.transpose(cells, [0, 1, 4, 2, 5, 3, 6]), [-1, *(2 * size,) * 3, 1])
    return outputs, gradient


def _cell_kernel(kernel):
    """[3, 3, 3, C, 8]: what each neighbour adds to each place of a cell."""
    size, channels = kernel.shape[0], kernel.shape[-1]
    # Along an axis, place p of a cell takes from the neighbour at offset d the tap 1 + p − 2d.
    taps = 1 + np.arange(2) - 2 * np.arange(-1, 2)[:, None]  # [3, 2]
    taps = np.where((taps >= 0) & (taps < size), taps, size)  # to the zeros that are padded
    kernel = tf.pad(kernel[:, :, :, 0], [[0, 1]] * 3 + [[0, 0]])
    for axis in (0, 2, 4):
        kernel = tf.gather(kernel, taps, axis=axis)  # [3, 2, 3, 2, 3, 2, C] in the end
    return tf.reshape(tf.transpose(kernel, [0, 2, 4, 6, 1, 3, 5]), [3, 3, 3, channels, 8])
