"""Refiner R, which corrects the voxels of a reconstruction by its mask."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers

from ptn_semi.models import architectures
from ptn_semi.models.normalization import normalized
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection import resolutions
from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.camera import Camera

_MIN_PROBABILITY = 1e-6  # as in the occupancy loss


def build_refiner(
    architecture: architectures.Architecture,
    coarse_size: int,
    voxel_size: int,
    image_size: int,
    camera: Camera,
    viewpoint_size: int = 2,
    jit_compile: bool = True,
) -> keras.Model:
    """Build R, which corrects G's voxels by a mask [B, S, S, 1] and its viewpoint [B, 2 or 7].

    G's voxels [B, n, n, n] are repeated to [B, N, N, N]; n is `coarse_size` and N, a multiple of
    it, `voxel_size`. The mask, and features of it, are back-projected into that grid. There R is a
    U-Net, whose finest level has half of the grid's resolution. It has one level below at 32³ and
    two at 64³. Its output is added to the voxels' logits. R starts as the identity. `jit_compile`
    compiles the back-projection with XLA.

    Returns:
      The model of the inputs (voxels, mask, viewpoint), with float32 output [B, N, N, N] in [0, 1].
    """
    on_mask, fine, coarse = architecture.refiner_filters
    inputs = layers.Input((coarse_size,) * 3, name="voxels")
    mask = layers.Input((image_size, image_size, 1), name="mask")
    viewpoint = layers.Input((viewpoint_size,), name="viewpoint")
    voxels, averaged = inputs, mask
    if voxel_size > coarse_size:
        x = layers.Reshape((*inputs.shape[1:], 1), dtype="float32", name="coarse_channel")(inputs)
        x = layers.UpSampling3D(
            voxel_size // coarse_size, "channels_last", dtype="float32", name="repeated"
        )(x)
        voxels = layers.Reshape((voxel_size,) * 3, dtype="float32", name="repeated_grid")(x)
    stride = image_size // resolutions.coarse_side(image_size, voxel_size)
    if stride > 1:
        averaged = layers.AveragePooling2D(stride, name="averaged_mask")(mask)

    def convolve(
        x: keras.KerasTensor, filters: int, size: int, stride: int, name: str
    ) -> keras.KerasTensor:
        x = layers.Conv3D(filters, size, stride, "same", use_bias=False, name=name)(x)
        return normalized(x, name)

    def add_upsampled(
        x: keras.KerasTensor, below: keras.KerasTensor, number: str
    ) -> keras.KerasTensor:
        filters, name = x.shape[-1], f"up{number}"
        below = layers.Conv3DTranspose(filters, 2, 2, "same", use_bias=False, name=name)(below)
        return layers.Add(name=f"skip{number}")([x, normalized(below, name)])

    features = mask
    for i, step in enumerate((stride, 1), 1):
        features = layers.Conv2D(on_mask, 5, step, "same", activation="relu", name=f"mask_conv{i}")(
            features
        )
    projected = BackProjection(
        voxel_size // 2, camera, position=True, jit_compile=jit_compile, name="projected_features"
    )(features, viewpoint)
    seen = BackProjection(voxel_size, camera, jit_compile=jit_compile, name="projected_mask")(
        averaged, viewpoint
    )
    x = layers.Concatenate(name="shape_and_mask")(
        [layers.Reshape((*(voxel_size,) * 3, 1), name="channel")(voxels), seen]
    )
    x = layers.Concatenate(name="inputs")([convolve(x, fine, 4, 2, "halve"), projected])
    width = x.shape[-1]
    below = convolve(convolve(x, coarse, 3, 2, "down"), coarse, 3, 1, "conv1")
    if voxel_size > architectures.REFINED_SIZE:
        deep = convolve(convolve(below, coarse, 3, 2, "down2"), coarse, 3, 1, "deep_conv")
        below = add_upsampled(below, deep, "2")
    x = add_upsampled(x, below, "")
    x = convolve(x, width, 3, 1, "conv2")
    x = UpsamplingToOneChannel(4, kernel_initializer="zeros", name="correction")(x)
    x = layers.Reshape((voxel_size,) * 3, dtype="float32", name="squeeze")(x)
    refined = AddedToLogits(dtype="float32", name="refined")([voxels, x])
    return keras.Model([inputs, mask, viewpoint], refined, name="refiner")


@keras.saving.register_keras_serializable(package="ptn_semi")
class AddedToLogits(layers.Layer):
    """Adds to the logits of probabilities: `sigmoid(logit(p) + x)`.

    Input shape: p in [0, 1] and x, of one shape.
    Output shape: the same, in [0, 1].
    """

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Return the new probabilities."""
        return tf.sigmoid(logit(inputs[0]) + inputs[1])


def logit(probabilities: tf.Tensor) -> tf.Tensor:
    """Compute log(p / (1 − p)), with probabilities clipped so that it is finite."""
    p = tf.clip_by_value(probabilities, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    return tf.math.log(p) - tf.math.log(1 - p)
