"""Search for a mask's viewpoint, by V's probabilities and the reprojection error."""

from collections.abc import Sequence

import tensorflow as tf

from ptn_semi.models import losses, viewpoint_bins
from ptn_semi.projection import resolutions
from ptn_semi.projection.projector import Projector

_NUM_HYPOTHESES = 4
# Weight of the reprojection error beside V's log-probability. The errors of
# pixels are correlated, so their sum overstates the evidence.
_ERROR_WEIGHT = 0.1  # of masks of 32²; larger ones have more pixels, but say no more
_STEP = 8.0  # degrees from the best hypothesis to its neighbours; V errs by some 5
_MIN_PROBABILITY = 0.01  # of a pixel, so that a single wrong one does not decide


def search_viewpoints(
    outputs: tf.Tensor,
    masks: tf.Tensor,
    voxels: tf.Tensor,
    projector: Projector,
    elevation_range: Sequence[float],
) -> tf.Tensor:
    """Choose one of V's likeliest viewpoints of each mask, and correct it by how the voxels fit.

    Args:
      outputs: [B, NUM_BINS, NUM_OUTPUTS], V's outputs for the masks; see `viewpoint_bins`.
      masks: [B, S, S, 1], finer than the projector's or not.
      voxels: [B, n, n, n] reconstructions of the masks.
      projector: projects the voxels for comparison with the masks.
      elevation_range: lowest and highest elevation, in degrees.

    Returns:
      [B, 2] in degrees.
    """
    masks = resolutions.coarse_masks(masks, projector.image_size)
    weight = _ERROR_WEIGHT * (32 / projector.image_size) ** 2
    guesses, logs = viewpoint_bins.hypotheses(outputs, _NUM_HYPOTHESES, elevation_range)
    scores = logs - weight * _reprojection_errors(guesses, masks, voxels, projector)
    best = tf.gather(guesses, tf.argmax(scores, axis=1), batch_dims=1)
    # The lowest point of a parabola through the errors of the best guess and its two neighbours,
    # for each angle.
    steps = _STEP * tf.constant([[0.0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])
    errors = _reprojection_errors(best[:, None] + steps, masks, voxels, projector)
    middle, below, above = errors[:, :1], errors[:, 1::2], errors[:, 2::2]  # [B, 1 or 2]
    curvature = tf.maximum(below - 2 * middle + above, 1e-6)
    best += _STEP * tf.clip_by_value((below - above) / (2 * curvature), -1, 1)
    elevation = tf.clip_by_value(best[:, 0], *elevation_range)
    return tf.stack([elevation, best[:, 1]], axis=1)


def _reprojection_errors(
    viewpoints: tf.Tensor, masks: tf.Tensor, voxels: tf.Tensor, projector: Projector
) -> tf.Tensor:
    """Sum the cross-entropy of the masks' pixels, for several viewpoints [B, count, 2] of each."""
    count = viewpoints.shape[1]
    seen = projector([tf.repeat(voxels, count, axis=0), tf.reshape(viewpoints, [-1, 2])])
    seen = tf.reshape(seen, [-1, count, *masks.shape[1:]])
    errors = losses.cross_entropy(seen, masks[:, None], _MIN_PROBABILITY)
    return tf.reduce_sum(errors, axis=[2, 3, 4])
