"""Encoder E, which maps a mask to a latent."""

import math

import keras
from keras import layers

from ptn_semi.models.architectures import Architecture
from ptn_semi.models.normalization import normalized


def build_encoder(architecture: Architecture, image_size: int) -> keras.Model:
    """Build E, which maps masks [B, S, S, 1] to latents [B, latent_dim].

    Args:
      architecture: sizes of the networks.
      image_size: S.

    Returns:
      The model, with float32 output.
    """
    inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = encode(inputs, architecture)
    latent = layers.Dense(architecture.latent_dim, dtype="float32", name="latent")(x)
    return keras.Model(inputs, latent, name="encoder")


def encode(x: keras.KerasTensor, architecture: Architecture) -> keras.KerasTensor:
    """Apply E's layers without its last one, which V shares in form, to masks [B, S, S, 1].

    Masks of more than 32 pixels are halved first, by convolutions with half of E's filters.
    """
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
