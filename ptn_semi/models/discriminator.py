"""Discriminator D, which tells masks of real shapes from projections of generated ones."""

import keras
from keras import layers

from ptn_semi.models.architectures import Architecture


def build_discriminator(architecture: Architecture, image_size: int) -> keras.Model:
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
