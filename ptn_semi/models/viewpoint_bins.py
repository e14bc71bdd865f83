"""The output of the viewpoint estimator V: bins of azimuth, each with two angles of its own.

The silhouettes of a shape from the front and from the back are nearly equal, so a single estimate
would lie between the two. Bins allow several estimates, and the mask shows which of them fits.
"""

from collections.abc import Sequence

import tensorflow as tf

NUM_BINS = 16
NUM_OUTPUTS = 3  # per bin: its logit, the azimuth from its middle in bins, the scaled elevation
_WIDTH = 360.0 / NUM_BINS


def viewpoint_loss(
    outputs: tf.Tensor, viewpoints: tf.Tensor, elevation_range: Sequence[float]
) -> tf.Tensor:
    """Average the cross-entropy of the true azimuth's bin plus squared errors of its two angles.

    Args:
      outputs: [B, NUM_BINS, NUM_OUTPUTS], V's outputs.
      viewpoints: [B, 2] in degrees, the true viewpoints.
      elevation_range: lowest and highest elevation, in degrees.
    """
    azimuth = tf.math.floormod(viewpoints[:, 1], 360.0) / _WIDTH
    label = tf.minimum(tf.cast(azimuth, tf.int32), NUM_BINS - 1)
    fine = azimuth - tf.cast(label, tf.float32) - 0.5
    middle, half = _elevation_scale(elevation_range)
    chosen = tf.gather(outputs, label, batch_dims=1)  # [B, NUM_OUTPUTS]
    classes = tf.nn.sparse_softmax_cross_entropy_with_logits(label, outputs[..., 0])
    angles = tf.square(chosen[:, 1] - fine) + tf.square(
        chosen[:, 2] - (viewpoints[:, 0] - middle) / half
    )
    return tf.reduce_mean(classes + angles)


def hypotheses(
    outputs: tf.Tensor, count: int, elevation_range: Sequence[float]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the likeliest viewpoints.

    Args:
      outputs: [B, NUM_BINS, NUM_OUTPUTS], V's outputs.
      count: how many viewpoints to return for each mask.
      elevation_range: lowest and highest elevation, in degrees.

    Returns:
      The viewpoints [B, count, 2] in degrees, the likeliest first, and the logarithms of their
      probabilities [B, count].
    """
    logs, bins = tf.math.top_k(tf.nn.log_softmax(outputs[..., 0]), count)
    chosen = tf.gather(outputs, bins, batch_dims=1)  # [B, count, NUM_OUTPUTS]
    middle, half = _elevation_scale(elevation_range)
    azimuth = (tf.cast(bins, tf.float32) + 0.5 + chosen[..., 1]) * _WIDTH
    elevation = middle + half * tf.clip_by_value(chosen[..., 2], -1.0, 1.0)
    return tf.stack([elevation, azimuth], axis=-1), logs


def mean_of_flipped(outputs: tf.Tensor, flipped: tf.Tensor) -> tf.Tensor:
    """Average V's outputs for masks with those for the mirrored masks.

    Both are [B, NUM_BINS, NUM_OUTPUTS]. From azimuth −a, a mirrored shape looks as its mirrored
    mask, so bins and offsets of the azimuth are reversed. Logits become log-probabilities.
    """
    flipped = tf.reverse(flipped, [1]) * tf.constant([1.0, -1.0, 1.0])
    logs = [tf.nn.log_softmax(each[..., :1], axis=1) for each in (outputs, flipped)]
    angles = [each[..., 1:] for each in (outputs, flipped)]
    return tf.concat([tf.add_n(logs) / 2, tf.add_n(angles) / 2], axis=-1)


def _elevation_scale(elevation_range: Sequence[float]) -> tuple[float, float]:
    low, high = elevation_range
    return (low + high) / 2, max((high - low) / 2, 1.0)
