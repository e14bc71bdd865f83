"""Builders of the encoder E, the voxel generator G, the viewpoint estimator V and D.

An `architectures.Architecture` gives their sizes; S is `image_size` and N is `voxel_size`. All have
float32 outputs. `refiner` builds R.
"""

import math

import keras
from keras import layers

from ptn_semi.models import viewpoint_bins
from ptn_semi.models.architectures import Architecture
from ptn_semi.models.normalization import normalized
from ptn_semi.models.upsampling import UpsamplingToOneChannel

# G starts with a nearly empty grid: rays through a half-full one are opaque and pass back no
# gradient.
_INITIAL_LOGIT = -3.0


def build_encoder(architecture: Architecture, image_size: int) -> keras.Model:
    """Build E, which maps masks [B, S, S, 1] to latents [B, latent_dim]."""
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def build_generator(architecture: Architecture, voxel_size: int) -> keras.Model:
    """Build G, which maps latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1]."""
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
        bias_initializer=keras.initializers.Constant(_INITIAL_LOGIT),
        name="deconv_out",
    )(x)
    x = layers.Reshape((voxel_size,) * 3, name="squeeze")(x)
    voxels = layers.Activation("sigmoid", dtype="float32", name="voxels")(x)
    return keras.Model(inputs, voxels, name="generator")


def build_viewpoint_estimator(
    architecture: Architecture, image_size: int, num_outputs: int
) -> keras.Model:
    """Build V, which maps masks [B, S, S, 1] to `viewpoint_bins` [B, NUM_BINS, num_outputs].

    V has E's layers and an output layer of its own.
    """
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = _encode(x, architecture)
    bins = (viewpoint_bins.NUM_BINS, num_outputs)
    x = layers.Dense(math.prod(bins), dtype="float32", name="out")(x)
    x = layers.Reshape(bins, dtype="float32", name="bins")(x)
    return keras.Model(inputs, x, name="viewpoint_estimator")


def build_discriminator(architecture: Architecture, image_size: int) -> keras.Model:
    """Build D, which maps masks [B, S, S, 1] to logits [B, 1], higher for real masks."""
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


def _encode(x: keras.KerasTensor, architecture: Architecture) -> keras.KerasTensor:
    """Apply all of E's layers but the last to masks; V has the same layers, with its own weights.

    Masks [B, S, S, 1] of more than 32 pixels are halved first, by convolutions with half of the
    first layer's filters.
    """
    halvings = max(0, int(math.log2(x.shape[1] / 32)))
    first = max(1, architecture.encoder_filters[0] // 2)
    convolutions = [(f"halve{i}", first) for i in range(1, halvings + 1)]
    convolutions += [(f"conv{i}", f) for i, f in enumerate(architecture.encoder_filters, 1)]
    kernel = architecture.kernel_size
    for name, filters in convolutions:
        x = layers.Conv2D(filters, kernel, 2, "same", use_bias=False, name=name)(x)
        x = normalized(x, name)
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate(architecture.encoder_units, 1):
        x = layers.Dense(units, use_bias=False, name=f"dense{i}")(x)
        x = normalized(x, f"dense{i}")
    return x
