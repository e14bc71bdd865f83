"""Correction of visual hulls: how likely each of their voxels is to be part of the shape.

A hull contains its shape, and more: what no view carves away. A small network tells the two apart
by the hull's form around each voxel. It was trained on hulls of procedural shapes of ten categories
(`tools/train_hull_correction.py`), so it uses no label of the shapes that it is applied to.
"""

import pathlib

import keras
import numpy as np
import tensorflow as tf
import tqdm
from keras import layers

from ptn_semi.models.keras_defaults import keras_defaults

WEIGHTS = pathlib.Path(__file__).with_name("hull_correction.npz")
_FILTERS = (16, 16, 16)
_BATCH = 16  # hulls corrected at a time; no effect on the result


def build() -> keras.Model:
    """Build the network, which maps hulls [B, N, N, N, 1] to logits of the same shape."""
    with keras_defaults():
        x = inputs = layers.Input((None, None, None, 1), name="hull")
        for i, filters in enumerate(_FILTERS, 1):
            x = layers.Conv3D(filters, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        logits = layers.Conv3D(1, 3, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="hull_correction")


def load() -> keras.Model:
    """Build the network with the weights that the package comes with."""
    network = build()
    with np.load(WEIGHTS) as stored:
        network.set_weights([stored[str(i)] for i in range(len(network.weights))])
    return network


def correct(hulls: np.ndarray, progress: bool = False) -> np.ndarray:
    """Estimate how likely each voxel of visual hulls is to be part of the shape.

    Args:
      hulls: bool [B, N, N, N], axes x, y, z.
      progress: show a progress bar.

    Returns:
      uint8 [B, N, N, N], from 0 to 255 for certain. It is 0 outside the hull and at least 1 inside.
    """
    network = load()
    compute = tf.function(lambda x: tf.sigmoid(network(x, training=False)), reduce_retracing=True)
    corrected = np.zeros(hulls.shape, np.uint8)
    starts = range(0, len(hulls), _BATCH)
    for start in tqdm.tqdm(starts, desc="correcting", unit=" batches", disable=not progress):
        some = hulls[start : start + _BATCH]
        likely = compute(some[..., None].astype(np.float32)).numpy()[..., 0]
        corrected[start : start + _BATCH] = np.maximum(np.rint(255 * likely), 1) * some
    return corrected
