"""Encoder E, voxel generator G and discriminator D, as ordinary Keras models.

`PRESETS["paper"]` is the published architecture; `PRESETS["small"]` trains well on two CPU cores.
"""

import contextlib
import dataclasses
import math

import keras
from keras import layers

from ptn_semi import replicas, viewpoints
from ptn_semi.upsampling import UpsamplingToOneChannel

_LARGEST = 4096
# Seen from statistics over a run of some thousand steps, 0.99 (Keras' default) lags too far behind.
BATCH_NORM_MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes of the three networks.

    Attributes:
      latent_dim: length of E's output and of the GAN's z.
      encoder_filters: of E's convolutions, each halving the image.
      encoder_units: of the fully connected layers after them.
      generator_base: channels of the 4³ grid that G starts from.
      generator_filters: of the transposed convolutions at voxel size 32, each doubling the grid,
        without the last one (to 1 channel). Voxel size 64 repeats the last number.
      discriminator_filters: of D's convolutions, each halving the mask.
      kernel_size: of all convolutions.
    """

    latent_dim: int
    encoder_filters: tuple[int, ...]
    encoder_units: tuple[int, ...]
    generator_base: int
    generator_filters: tuple[int, ...]
    discriminator_filters: tuple[int, ...]
    kernel_size: int

    def __post_init__(self):
        sizes = [
            self.latent_dim, *self.encoder_filters, *self.encoder_units, self.generator_base,
            *self.generator_filters, *self.discriminator_filters, self.kernel_size,
        ]  # fmt: skip
        # They may come with a checkpoint from anybody, and are made before its weights are read.
        if not all(isinstance(size, int) and 1 <= size <= _LARGEST for size in sizes):
            raise ValueError(f"a network's sizes are 1 to {_LARGEST}, not {sizes}")


PRESETS = {
    "paper": Architecture(
        latent_dim=512,
        encoder_filters=(128, 256, 512),
        encoder_units=(1024, 1024),
        generator_base=256,
        generator_filters=(128, 64),
        discriminator_filters=(256, 512, 1024),
        kernel_size=5,
    ),
    "small": Architecture(
        latent_dim=128,
        encoder_filters=(32, 64, 128),
        encoder_units=(256,),
        generator_base=64,
        generator_filters=(32, 16),
        discriminator_filters=(32, 64, 128),
        kernel_size=4,
    ),
}
VOXEL_SIZES = (32, 64)
IMAGE_SIZES = (8, 512)  # smallest and largest
# G starts near empty: rays through a half-full grid are opaque, and pass back no gradient.
INITIAL_LOGIT = -3.0
# Of what layers compute; weights, latents, voxels and logits are float32 with either.
PRECISIONS = ("float32", "mixed_bfloat16")


@contextlib.contextmanager
def computing_in(precision):
    """Networks built within compute in this one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _normalized(x, name):
    x = layers.BatchNormalization(
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
    low, high = IMAGE_SIZES
    if not low <= image_size <= high:
        raise ValueError(f"the image size is {low} to {high}, not {image_size}")
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def build_generator(architecture, voxel_size):
    """G: latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1], float32."""
    if voxel_size not in VOXEL_SIZES:
        raise ValueError(f"the voxel size is one of {VOXEL_SIZES}, not {voxel_size}")
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
    bins = (viewpoints.NUM_BINS, viewpoints.NUM_OUTPUTS)
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
