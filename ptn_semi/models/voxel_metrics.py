"""Scores of voxels as metrics of Keras, which callbacks can watch.

They equal those of `evaluation.metrics`, and run in compiled graphs, with XLA too.
"""

import math
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ptn_semi")
class AveragePrecision(keras.metrics.MeanMetricWrapper):
    """Mean average precision over the voxels of each example, a sum without interpolation.

    Input shape: true voxels [B, ...] of zeros and ones, and scores of any range, of the same shape.
      An example without occupied voxels scores 0.
    """

    def __init__(self, name: str = "average_precision", dtype: Any = None) -> None:
        super().__init__(_average_precision, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="ptn_semi")
class VoxelIoU(keras.metrics.MeanMetricWrapper):
    """Mean IoU of the voxels of each example that are above a threshold.

    Input shape: true voxels [B, ...] of zeros and ones, and probabilities of the same shape.
    """

    def __init__(self, threshold: float = 0.5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(_iou, name or f"iou_{threshold:g}", dtype, threshold=threshold)
        self.threshold = threshold

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {"threshold": self.threshold, "name": self.name, "dtype": self.dtype}


def _average_precision(truth: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Compute the AP of each example, [B]: the mean of the precisions at its occupied voxels."""
    truth, scores = _flat(truth, scores)
    order = tf.argsort(scores)
    truth, scores = (tf.gather(values, order, batch_dims=1) for values in (truth, scores))
    # How many voxels have a lower score, and how many of them are occupied. Where voxels have equal
    # scores, those before the first one count, so each takes the largest count of a first one.
    is_first = tf.cast(scores[:, 1:] > scores[:, :-1], tf.float32)
    is_first = tf.pad(is_first, [[0, 0], [1, 0]], constant_values=1)
    size = truth.shape[1]
    lower, occupied_lower = (
        _cumulative_max(is_first * count)
        for count in (tf.range(size, dtype=tf.float32), tf.cumsum(truth, axis=1, exclusive=True))
    )
    occupied = tf.reduce_sum(truth, axis=1, keepdims=True)
    precision = (occupied - occupied_lower) / (size - lower)
    return tf.math.divide_no_nan(tf.reduce_sum(truth * precision, axis=1), occupied[:, 0])


def _cumulative_max(counts: tf.Tensor) -> tf.Tensor:
    """Return the largest of each row of counts [B, M] up to each column."""
    step = 1
    while step < counts.shape[1]:
        counts = tf.maximum(counts, tf.pad(counts[:, :-step], [[0, 0], [step, 0]]))
        step *= 2
    return counts


def _iou(truth: tf.Tensor, probabilities: tf.Tensor, threshold: float) -> tf.Tensor:
    """Compute the IoU of each example, [B]."""
    truth, probabilities = _flat(truth, probabilities)
    predicted = tf.cast(probabilities > threshold, truth.dtype)
    both = tf.reduce_sum(truth * predicted, axis=-1)
    either = tf.reduce_sum(tf.maximum(truth, predicted), axis=-1)
    return tf.math.divide_no_nan(both, either)


def _flat(truth: tf.Tensor, scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return both as float32 [B, voxels].

    Raises:
      ValueError: if their shapes differ.
    """
    truth, scores = tf.cast(truth, tf.float32), tf.cast(scores, tf.float32)
    if not truth.shape.is_compatible_with(scores.shape):
        raise ValueError(
            f"true voxels {truth.shape} and predicted ones {scores.shape} must have the same shape"
        )
    size = math.prod(scores.shape[1:])
    return tf.reshape(truth, [-1, size]), tf.reshape(scores, [-1, size])
