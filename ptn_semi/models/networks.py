"""Encoder E, voxel generator G, discriminator D and viewpoint estimator V, in Keras.

An `architectures.Architecture` gives their sizes.
"""

import contextlib
import math
from collections.abc import Iterator

import keras
import tensorflow as tf
from keras import layers

from ptn_semi.models import architectures, viewpoint_bins
from ptn_semi.models.normalization import normalized
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.utils import cpu

# G starts with a nearly empty grid: rays through a half-full one are opaque and pass back no
# gradient.
INITIAL_LOGIT = -3.0


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


def _encode(x, architecture):
    halvings = max(0, int(math.log2(x.shape[1] / 32)))
    for i in range(1, halvings + 1):
        filters = max(1, architecture.encoder_filters[0] // 2)
        x = layers.Conv2D(
            filters, architecture.kernel_size, 2, "same", use_bias=False, name=f"halve{i}"
        )(x)
        x = normalized(x, f"halve{i}")
    for i, filters in enumerate(architecture.encoder_filters, 1):
        x = layers.Conv2D(
            filters, architecture.kernel_size, 2, "same", use_bias=False, name=f"conv{i}"
        )(x)
        x = normalized(x, f"conv{i}")
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate(architecture.encoder_units, 1):
        x = layers.Dense(units, use_bias=False, name=f"dense{i}")(x)
        x = normalized(x, f"dense{i}")
    return x


def build_encoder(architecture: architectures.Architecture, image_size: int) -> keras.Model:
    """Build E, which maps masks [B, S, S, 1] to latents [B, latent_dim].

    Args:
      architecture: sizes of the networks.
      image_size: S.

    Returns:
      The model, with float32 output.
    """
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def build_generator(architecture: architectures.Architecture, voxel_size: int) -> keras.Model:
    """Build G, which maps latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1].

    Args:
      architecture: sizes of the networks.
      voxel_size: N, one of `architectures.VOXEL_SIZES`.

    Returns:
      The model, with float32 output.
    """
    filters = architecture.generator_filters
    if voxel_size == 64:
        filters = (*filters, filters[-1])
    x = inputs = layers.Input((architecture.latent_dim,), name="latent")
    x = layers.Dense(architecture.generator_base * 4**3, use_bias=False, name="dense")(x)
    x = normalized(x, "dense")
    x = layers.Reshape((4, 4, 4, architecture.generator_base), name="grid")(x)
    for i, channels in enumerate(filters, 1):
        x = layers.Conv3DTranspose(
            channels, architecture.kernel_size, 2, "same", use_bias=False, name=f"deconv{i}"
        )(x)
        x = normalized(x, f"deconv{i}")
    x = UpsamplingToOneChannel(
        architecture.kernel_size,
        bias_initializer=keras.initializers.Constant(INITIAL_LOGIT),
        name="deconv_out",
    )(x)
    x = layers.Reshape((voxel_size,) * 3, name="squeeze")(x)
    voxels = layers.Activation("sigmoid", dtype="float32", name="voxels")(x)
    return keras.Model(inputs, voxels, name="generator")


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
