"""Encoder E, voxel generator G, refiner R, discriminator D and viewpoint estimator V, in Keras.

An `architectures.Architecture` gives their sizes.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf
from keras import layers

from ptn_semi.models import architectures, replicas, viewpoint_bins
from ptn_semi.models.normalization import FusedBatchNormalization
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.lifting import Lifting
from ptn_semi.utils import cpu

# Keras' default of 0.99 lags too far behind in a run of a few thousand steps.
BATCH_NORM_MOMENTUM = 0.9
# G starts with a nearly empty grid: rays through a half-full one are opaque and pass back no
# gradient.
INITIAL_LOGIT = -3.0
_SMALLEST = 1e-6  # probability, as in the occupancy loss


def fastest_precision() -> str:
    """Choose the fastest of `architectures.PRECISIONS` on this machine.

    Returns:
      "mixed_bfloat16" where all GPUs, or the CPU if there is none, multiply bfloat16 numbers
      natively; "float32" elsewhere. Other devices convert each number, which is slower than
      float32.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        has_half = all(each.get("compute_capability", (0, 0)) >= (8, 0) for each in details)
    else:
        has_half = cpu.computes_in_bfloat16()
    return "mixed_bfloat16" if has_half else "float32"


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Set the compute dtype of networks that are built in this context.

    Args:
      precision: one of `architectures.PRECISIONS`.

    Raises:
      ValueError: the precision is not one of them.
    """
    if precision not in architectures.PRECISIONS:
        raise ValueError(
            f"precision is one of {', '.join(architectures.PRECISIONS)}, not {precision!r}"
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _normalized(x, name):
    x = FusedBatchNormalization(
        momentum=BATCH_NORM_MOMENTUM, synchronized=replicas.count() > 1, name=f"{name}_norm"
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _encode(x, architecture):
    for i, filters in enumerate(architecture.encoder_filters, 1):
        x = layers.Conv2D(
            filters, architecture.kernel_size, 2, "same", use_bias=False, name=f"conv{i}"
        )(x)
        x = _normalized(x, f"conv{i}")
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate(architecture.encoder_units, 1):
        x = layers.Dense(units, use_bias=False, name=f"dense{i}")(x)
        x = _normalized(x, f"dense{i}")
    return x


def build_encoder(architecture: architectures.Architecture, image_size: int) -> keras.Model:
    """Build E, which maps masks [B, S, S, 1] to latents [B, latent_dim].

    Args:
      architecture: sizes of the networks.
      image_size: S.

    Returns:
      The model, with float32 output.

    Raises:
      ValueError: the image size is outside `architectures.IMAGE_SIZES`.
    """
    low, high = architectures.IMAGE_SIZES
    if not low <= image_size <= high:
        raise ValueError(f"the image size is {low} to {high}, not {image_size}")
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def build_generator(architecture: architectures.Architecture, voxel_size: int) -> keras.Model:
    """Build G, which maps latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1].

    Args:
      architecture: sizes of the networks.
      voxel_size: N.

    Returns:
      The model, with float32 output.

    Raises:
      ValueError: the voxel size is not one of `architectures.VOXEL_SIZES`.
    """
    if voxel_size not in architectures.VOXEL_SIZES:
        raise ValueError(f"the voxel size is one of {architectures.VOXEL_SIZES}, not {voxel_size}")
    filters = architecture.generator_filters
    if voxel_size == 64:
        filters = (*filters, filters[-1])
    x = inputs = layers.Input((architecture.latent_dim,), name="latent")
    x = layers.Dense(architecture.generator_base * 4**3, use_bias=False, name="dense")(x)
    x = _normalized(x, "dense")
    x = layers.Reshape((4, 4, 4, architecture.generator_base), name="grid")(x)
    for i, channels in enumerate(filters, 1):
        x = layers.Conv3DTranspose(
            channels, architecture.kernel_size, 2, "same", use_bias=False, name=f"deconv{i}"
        )(x)
        x = _normalized(x, f"deconv{i}")
    x = UpsamplingToOneChannel(
        architecture.kernel_size,
        bias_initializer=keras.initializers.Constant(INITIAL_LOGIT),
        name="deconv_out",
    )(x)
    x = layers.Reshape((voxel_size,) * 3, name="squeeze")(x)
    voxels = layers.Activation("sigmoid", dtype="float32", name="voxels")(x)
    return keras.Model(inputs, voxels, name="generator")


def build_refiner(
    architecture: architectures.Architecture, voxel_size: int, image_size: int, camera: Camera
) -> keras.Model:
    """Build R, which corrects voxels [B, N, N, N] by a mask [B, S, S, 1] and its viewpoint [B, 2].

    The mask, and features of it, are lifted into the grid. There R is a U-Net, whose finest level
    has half of the grid's resolution. Its output is added to the voxels' logits. R starts as the
    identity.

    Args:
      architecture: sizes of the networks.
      voxel_size: N.
      image_size: S.
      camera: the camera of the masks.

    Returns:
      The model of the inputs (voxels, mask, viewpoint), with float32 output [B, N, N, N] in [0, 1].
    """
    on_mask, fine, coarse = architecture.refiner_filters
    voxels = layers.Input((voxel_size,) * 3, name="voxels")
    mask = layers.Input((image_size, image_size, 1), name="mask")
    viewpoint = layers.Input((2,), name="viewpoint")

    def convolve(x, filters, size, stride, name):
        x = layers.Conv3D(filters, size, stride, "same", use_bias=False, name=name)(x)
        return _normalized(x, name)

    features = mask
    for i in (1, 2):
        features = layers.Conv2D(
            on_mask, 5, padding="same", activation="relu", name=f"mask_conv{i}"
        )(features)
    lifted = Lifting(voxel_size // 2, camera, position=True, name="lifted_features")(
        features, viewpoint
    )
    seen = Lifting(voxel_size, camera, name="lifted_mask")(mask, viewpoint)
    x = layers.Concatenate(name="shape_and_mask")(
        [layers.Reshape((*(voxel_size,) * 3, 1), name="channel")(voxels), seen]
    )
    x = layers.Concatenate(name="inputs")([convolve(x, fine, 4, 2, "halve"), lifted])
    width = x.shape[-1]
    below = convolve(convolve(x, coarse, 3, 2, "down"), coarse, 3, 1, "conv1")
    below = layers.Conv3DTranspose(width, 2, 2, "same", use_bias=False, name="up")(below)
    x = layers.Add(name="skip")([x, _normalized(below, "up")])
    x = convolve(x, width, 3, 1, "conv2")
    x = UpsamplingToOneChannel(4, kernel_initializer="zeros", name="correction")(x)
    x = layers.Reshape((voxel_size,) * 3, dtype="float32", name="squeeze")(x)
    refined = AddedToLogits(dtype="float32", name="refined")([voxels, x])
    return keras.Model([voxels, mask, viewpoint], refined, name="refiner")


@keras.saving.register_keras_serializable(package="ptn_semi")
class AddedToLogits(layers.Layer):
    """Adds to the logits of probabilities: `sigmoid(logit(p) + x)`.

    Input shape: p in [0, 1] and x, of one shape.
    Output shape: the same, in [0, 1].
    """

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Return the new probabilities."""
        p = tf.clip_by_value(inputs[0], _SMALLEST, 1 - _SMALLEST)
        return tf.sigmoid(tf.math.log(p) - tf.math.log(1 - p) + inputs[1])


def build_viewpoint_estimator(
    architecture: architectures.Architecture, image_size: int
) -> keras.Model:
    """Build V, which maps masks [B, S, S, 1] to `viewpoint_bins` [B, NUM_BINS, NUM_OUTPUTS].

    Args:
      architecture: sizes of the networks; V has E's layers and an output layer of its own.
      image_size: S.

    Returns:
      The model, with float32 output.
    """
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(x, architecture)
    bins = (viewpoint_bins.NUM_BINS, viewpoint_bins.NUM_OUTPUTS)
    x = layers.Dense(math.prod(bins), dtype="float32", name="out")(x)
    x = layers.Reshape(bins, dtype="float32", name="bins")(x)
    return keras.Model(inputs, x, name="viewpoint_estimator")


def build_discriminator(architecture: architectures.Architecture, image_size: int) -> keras.Model:
    """Build D, which maps masks [B, S, S, 1] to logits [B, 1], higher for real masks.

    Args:
      architecture: sizes of the networks.
      image_size: S.

    Returns:
      The model, with float32 output.
    """
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    for i, filters in enumerate(architecture.discriminator_filters, 1):
        x = layers.Conv2D(filters, architecture.kernel_size, 2, "same", name=f"conv{i}")(x)
        if i > 1:
            # One group normalises the whole feature map with a scale per channel, as the layer
            # norm of tf.contrib that the authors used does. Keras' LayerNormalization would learn
            # a scale per position as well.
            x = layers.GroupNormalization(groups=1, name=f"conv{i}_norm")(x)
        x = layers.LeakyReLU(0.2, name=f"conv{i}_relu")(x)
    x = layers.Flatten(name="flatten")(x)
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="discriminator")
