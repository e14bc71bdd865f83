"""Encoder E, voxel generator G and discriminator D, as ordinary Keras models.

Their sizes are an `architectures.Architecture`.
"""

import contextlib
import math

import keras
import tensorflow as tf
from keras import layers

from ptn_semi.models import architectures, replicas, viewpoint_bins
from ptn_semi.models.normalization import FusedBatchNormalization
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.utils import cpu

# Seen from statistics over a run of some thousand steps, 0.99 (Keras' default) lags too far behind.
BATCH_NORM_MOMENTUM = 0.9
# G starts near empty: rays through a half-full grid are opaque, and pass back no gradient.
INITIAL_LOGIT = -3.0


def fastest_precision():
    """The one of `architectures.PRECISIONS` that suits the machine: half where it multiplies it.

    Other CPUs and GPUs have to convert each number, which is slower than float32.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        has_half = all(each.get("compute_capability", (0, 0)) >= (8, 0) for each in details)
    else:
        has_half = cpu.computes_in_bfloat16()
    return "mixed_bfloat16" if has_half else "float32"


@contextlib.contextmanager
def computing_in(precision):
    """Networks built within compute in this one of `architectures.PRECISIONS`."""
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


def build_encoder(architecture, image_size):
    """E: masks [B, S, S, 1] to latents [B, latent_dim], float32."""
    low, high = architectures.IMAGE_SIZES
    if not low <= image_size <= high:
        raise ValueError(f"the image size is {low} to {high}, not {image_size}")
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def build_generator(architecture, voxel_size):
    """G: latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1], float32."""
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


def build_viewpoint_estimator(architecture, image_size):
    """V: masks [B, S, S, 1] to `viewpoints`' [B, NUM_BINS, NUM_OUTPUTS], float32."""
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(x, architecture)
    bins = (viewpoint_bins.NUM_BINS, viewpoint_bins.NUM_OUTPUTS)
    x = layers.Dense(math.prod(bins), dtype="float32", name="out")(x)
    x = layers.Reshape(bins, dtype="float32", name="bins")(x)
    return keras.Model(inputs, x, name="viewpoint_estimator")


def build_discriminator(architecture, image_size):
    """D: masks [B, S, S, 1] to real-or-fake logits [B, 1], float32."""
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    for i, filters in enumerate(architecture.discriminator_filters, 1):
        x = layers.Conv2D(filters, architecture.kernel_size, 2, "same", name=f"conv{i}")(x)
        if i > 1:
            # Over the whole feature map with a scale per channel, as the layer norm of tf.contrib
            # that the authors used: Keras' LayerNormalization would learn one per position too.
            x = layers.GroupNormalization(groups=1, name=f"conv{i}_norm")(x)
        x = layers.LeakyReLU(0.2, name=f"conv{i}_relu")(x)
    x = layers.Flatten(name="flatten")(x)
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="discriminator")
