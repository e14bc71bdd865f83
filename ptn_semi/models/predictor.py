"""A model's predictions, traced once."""

import numpy as np
import tensorflow as tf
import tqdm

from ptn_semi.projection import geometry

_BATCH = 64  # masks in a forward pass; no effect on the scores


class Predictor:
    """Predicts voxels of masks with a model's current weights; traced once.

    Args:
      model: a `SemiSupervisedReconstructor`.
      turn: degrees to turn every prediction by; see `geometry.turn_voxels`.
    """

    def __init__(self, model, turn=0):
        self.turn = turn
        mask = tf.TensorSpec((None, model.image_size, model.image_size, 1), tf.float32)
        self._predict = tf.function(
            lambda masks: model(masks, training=False),
            input_signature=[mask],
            jit_compile=False,
            autograph=False,
        )

    def __call__(self, masks):
        """Voxels float32 [B, N, N, N] of masks [B, S, S, 1]."""
        voxels = self._predict(masks).numpy()
        return geometry.turn_voxels(voxels, self.turn) if self.turn else voxels

    def batches(self, shapes, num_views, progress=False):
        """Yields (indices of shapes [b], indices of views [b], voxels float32 [b, N, N, N]).

        Every one of the first `num_views` views of every shape comes once.
        """
        pairs = np.stack(np.mgrid[: len(shapes), :num_views], axis=-1).reshape(-1, 2)
        starts = range(0, len(pairs), _BATCH)
        for start in tqdm.tqdm(starts, desc="evaluating", unit=" batches", disable=not progress):
            index, view = pairs[start : start + _BATCH].T
            yield index, view, self(shapes.unpack_masks(index, view))
