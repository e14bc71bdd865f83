"""What the viewpoint estimator V answers: bins of azimuth, each with its own two angles.

A silhouette seen from the front is nearly the one from the back: one answer would lie between the
two. With bins there are several, and the mask itself tells which of them fits.
"""

import tensorflow as tf

NUM_BINS = 16
NUM_OUTPUTS = 3  # for each bin: its logit, azimuth from its middle in bins, elevation
_WIDTH = 360.0 / NUM_BINS


def viewpoint_loss(outputs, viewpoints, elevation_range):
    """Cross-entropy of the true azimuth's bin, plus squared errors of the two angles within it.

    Args:
      outputs: V's, [B, NUM_BINS, NUM_OUTPUTS].
      viewpoints: [B, 2] in degrees.
      elevation_range: lowest and highest elevation, in degrees.
    """
    azimuth = tf.math.floormod(viewpoints[:, 1], 360.0) / _WIDTH
    label = tf.minimum(tf.cast(azimuth, tf.int32), NUM_BINS - 1)
    fine = azimuth - tf.cast(label, tf.float32) - 0.5
    middle, half = _elevation_scale(elevation_range)
    answer = tf.gather(outputs, label, batch_dims=1)  # [B, NUM_OUTPUTS]
    classes = tf.nn.sparse_softmax_cross_entropy_with_logits(label, outputs[..., 0])
    angles = tf.square(answer[:, 1] - fine) + tf.square(
        answer[:, 2] - (viewpoints[:, 0] - middle) / half
    )
    return tf.reduce_mean(classes + angles)


def hypotheses(outputs, count, elevation_range):
    """The likeliest viewpoints, [B, count, 2] in degrees, of V's outputs."""
    _, bins = tf.math.top_k(outputs[..., 0], count)
    answers = tf.gather(outputs, bins, batch_dims=1)  # [B, count, NUM_OUTPUTS]
    middle, half = _elevation_scale(elevation_range)
    azimuth = (tf.cast(bins, tf.float32) + 0.5 + answers[..., 1]) * _WIDTH
    elevation = middle + half * tf.clip_by_value(answers[..., 2], -1.0, 1.0)
    return tf.stack([elevation, azimuth], axis=-1)


def _elevation_scale(elevation_range):
    low, high = elevation_range
    return (low + high) / 2, max((high - low) / 2, 1.0)
