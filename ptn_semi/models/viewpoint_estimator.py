"""Viewpoint estimator V, which maps a mask to likely viewpoints."""

import math

import keras
from keras import layers

from ptn_semi.models import viewpoint_bins
from ptn_semi.models.architectures import Architecture
from ptn_semi.models.encoder import encode


def build_viewpoint_estimator(architecture: Architecture, image_size: int) -> keras.Model:
    """Build V, which maps masks [B, S, S, 1] to `viewpoint_bins` [B, NUM_BINS, NUM_OUTPUTS].

    Args:
      architecture: sizes of the networks; V has E's layers and an output layer of its own.
      image_size: S.

    Returns:
      The model, with float32 output.
    """
    x = inputs = layers.Input((image_size, image_size, 1), name="mask")
    x = encode(x, architecture)
    bins = (viewpoint_bins.NUM_BINS, viewpoint_bins.NUM_OUTPUTS)
    x = layers.Dense(math.prod(bins), dtype="float32", name="out")(x)
    x = layers.Reshape(bins, dtype="float32", name="bins")(x)
    return keras.Model(inputs, x, name="viewpoint_estimator")
