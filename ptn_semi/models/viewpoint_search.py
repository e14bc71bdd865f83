"""Search for a mask's viewpoint, by V's probabilities and the reprojection error."""

import numpy as np
import tensorflow as tf

from ptn_semi.models import losses
from ptn_semi.models.viewpoint_bins import Bins
from ptn_semi.projection import resolutions
from ptn_semi.projection.projector import Projector

# Weight of the reprojection error beside V's log-probability. The errors of
# pixels are correlated, so their sum overstates the evidence.
_ERROR_WEIGHT = 0.03  # of masks of 32²; larger ones have more pixels, but say no more
# From the best hypothesis to its neighbours, for each number of a viewpoint; V errs by about as
# much. Masks say little of the distance, which stays.
_STEPS = np.array([8.0, 8, 5, 0, 0.03, 0.03, 0.03], np.float32)
_MIN_PROBABILITY = 0.01  # of a pixel, so that a single wrong one does not decide


def search_viewpoints(
    outputs: tf.Tensor,
    masks: tf.Tensor,
    voxels: tf.Tensor,
    projector: Projector,
    bins: Bins,
    num_tried: int,
) -> tf.Tensor:
    """Choose one of V's likeliest viewpoints of each mask, and correct it by how the voxels fit.

    Args:
      outputs: [B, NUM_BINS, num_outputs], V's outputs for the masks; see `viewpoint_bins`.
      masks: [B, S, S, 1], finer than the projector's or not.
      voxels: [B, n, n, n] reconstructions of the masks.
      projector: projects the voxels for comparison with the masks.
      bins: V's bins.
      num_tried: how many of the likeliest viewpoints are tried.

    Returns:
      [B, 2 or 7]; see `geometry`.
    """
    masks = resolutions.coarse_masks(masks, projector.image_size)
    weight = _ERROR_WEIGHT * (32 / projector.image_size) ** 2
    guesses, logs = bins.hypotheses(outputs, num_tried)
    scores = logs - weight * _reprojection_errors(guesses, masks, voxels, projector)
    best = tf.gather(guesses, tf.argmax(scores, axis=1), batch_dims=1)
    # The lowest point of a parabola through the errors of the best guess and its two neighbours,
    # for each number that is corrected.
    step = _STEPS[: best.shape[1]]
    ways = np.diag(step)[step > 0]
    around = np.concatenate([0 * ways[:1], -ways, ways])
    errors = _reprojection_errors(best[:, None] + around, masks, voxels, projector)
    middle, below, above = tf.split(errors, [1, len(ways), len(ways)], axis=1)
    curvature = tf.maximum(below - 2 * middle + above, 1e-6)
    share = tf.clip_by_value((below - above) / (2 * curvature), -1, 1)
    return bins.within_elevation(best + share @ ways)


def _reprojection_errors(
    viewpoints: tf.Tensor, masks: tf.Tensor, voxels: tf.Tensor, projector: Projector
) -> tf.Tensor:
    """Sum the cross-entropy of the masks' pixels, for several viewpoints of each, [B, count, :]."""
    count, size = viewpoints.shape[1:]
    seen = projector([tf.repeat(voxels, count, axis=0), tf.reshape(viewpoints, [-1, size])])
    seen = tf.reshape(seen, [-1, count, *masks.shape[1:]])
    errors = losses.cross_entropy(seen, masks[:, None], _MIN_PROBABILITY)
    return tf.reduce_sum(errors, axis=[2, 3, 4])
