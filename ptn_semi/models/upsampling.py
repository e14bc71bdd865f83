"""The last layer of G and R: a transposed convolution to one channel, several times faster on CPUs.

With one output channel, TensorFlow's CPU kernel for transposed convolutions cannot vectorise: it
reaches 5 to 15 GFLOP/s where others reach 100 to 200. Each cell of 2³ outputs depends on the same
few inputs: 2³ with a kernel of 4, and 3³ with a kernel of 5. An ordinary convolution to 8 channels,
one for each place in the cell, therefore computes the same sums. The gradients are computed in the
same way.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ptn_semi")
class UpsamplingToOneChannel(keras.layers.Conv3DTranspose):
    """A `keras.layers.Conv3DTranspose` of one filter, stride 2 and "same" padding.

    It has the weights of that layer, and its values up to rounding.

    Args:
      kernel_size: 4 or 5.

    Raises:
      ValueError: if the kernel has another size.

    Input shape: [B, N, N, N, C].
    Output shape: [B, 2N, 2N, 2N, 1].
    """

    def __init__(self, kernel_size: int, **kwargs: Any) -> None:
        for name in ("filters", "strides", "padding"):
            kwargs.pop(name, None)  # the config of a saved layer has them
        super().__init__(1, kernel_size, 2, "same", **kwargs)
        if self.kernel_size[0] not in (4, 5) or len(set(self.kernel_size)) != 1:
            raise ValueError(f"the kernel size is 4 or 5, not {kernel_size}")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Upsample inputs [B, N, N, N, C] to [B, 2N, 2N, 2N, 1]."""
        kernel = tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype)
        outputs = _upsample(inputs, kernel)
        if self.use_bias:
            outputs += tf.cast(tf.convert_to_tensor(self.bias), inputs.dtype)
        return self.activation(outputs)


@tf.custom_gradient
def _upsample(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Upsample inputs [B, N, N, N, C] with a kernel [k, k, k, 1, C] to [B, 2N, 2N, 2N, 1]."""
    even = kernel.shape[0] % 2 == 0
    padding = "VALID" if even else "SAME"
    spread = _kernel_by_place(kernel)  # [w, w, w, 8, C]

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        cells = _to_cells(_with_border(upstream) if even else upstream)
        to_inputs = tf.nn.conv3d(cells, spread, [1] * 5, padding)
        to_spread = tf.raw_ops.Conv3DBackpropFilterV2(
            input=cells,
            filter_sizes=spread.shape,
            out_backprop=inputs,
            strides=[1] * 5,
            padding=padding,
        )
        return to_inputs, _kernel_of_places(to_spread, kernel.shape)

    windows = tf.transpose(tf.reverse(spread, [0, 1, 2]), [0, 1, 2, 4, 3])
    if even:  # cells straddle the borders of input voxels, so there is one cell more per axis
        cells = tf.nn.conv3d(_with_border(inputs), windows, [1] * 5, padding)
        return _from_cells(cells)[:, 1:-1, 1:-1, 1:-1], gradient
    return _from_cells(tf.nn.conv3d(inputs, windows, [1] * 5, padding)), gradient


def _with_border(x: tf.Tensor) -> tf.Tensor:
    return tf.pad(x, [[0, 0]] + [[1, 1]] * 3 + [[0, 0]])


def _to_cells(x: tf.Tensor) -> tf.Tensor:
    """Rearrange [B, 2M, 2M, 2M, 1] to cells [B, M, M, M, 8]."""
    size = x.shape[1] // 2
    x = tf.reshape(x, [-1, size, 2, size, 2, size, 2])
    return tf.reshape(tf.transpose(x, [0, 1, 3, 5, 2, 4, 6]), [-1, size, size, size, 8])


def _from_cells(cells: tf.Tensor) -> tf.Tensor:
    """Rearrange cells [B, M, M, M, 8] to [B, 2M, 2M, 2M, 1]."""
    size = cells.shape[1]
    cells = tf.reshape(cells, [-1, size, size, size, 2, 2, 2])
    return tf.reshape(tf.transpose(cells, [0, 1, 4, 2, 5, 3, 6]), [-1, *(2 * size,) * 3, 1])


def _kernel_by_place(kernel: tf.Tensor) -> tf.Tensor:
    """Rearrange a kernel [k, k, k, 1, C] to [w, w, w, 8, C], by cell and place in the cell.

    Along each axis, the input at i contributes to the outputs 2i − 1 to 2i + k − 2. With an even k
    they fill two cells. With an odd k they fill three cells except for the very first place.
    """
    size, channels = kernel.shape[0], kernel.shape[-1]
    kernel = tf.pad(kernel[:, :, :, 0], [[size % 2, 0]] * 3 + [[0, 0]])
    reach = (size + 1) // 2
    kernel = tf.reshape(kernel, [reach, 2, reach, 2, reach, 2, channels])
    return tf.reshape(tf.transpose(kernel, [0, 2, 4, 1, 3, 5, 6]), [reach] * 3 + [8, channels])


def _kernel_of_places(spread: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Invert `_kernel_by_place` for a kernel of this shape."""
    size, reach = shape[0], spread.shape[0]
    kernel = tf.transpose(tf.reshape(spread, [reach] * 3 + [2] * 3 + [-1]), [0, 3, 1, 4, 2, 5, 6])
    kernel = tf.reshape(kernel, [2 * reach] * 3 + [1, -1])
    first = size % 2
    return kernel[first:, first:, first:]
