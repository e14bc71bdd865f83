"""Search for a mask's viewpoint among those that the viewpoint estimator V finds likely."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from ptn_semi.models import viewpoint_bins

_NUM_HYPOTHESES = 4


def fitting_viewpoints(
    answers: tf.Tensor,
    masks: tf.Tensor,
    voxels: tf.Tensor,
    projector: Callable[[Sequence[tf.Tensor]], tf.Tensor],
    elevation_range: Sequence[float],
) -> tf.Tensor:
    """Choose, from V's likeliest viewpoints of each mask, the one that fits the voxels best.

    Args:
      answers: [B, NUM_BINS, NUM_OUTPUTS], V's outputs for the masks; see `viewpoint_bins`.
      masks: [B, S, S, 1].
      voxels: [B, N, N, N] reconstructions of the masks.
      projector: the projector of the masks.
      elevation_range: lowest and highest elevation, in degrees.

    Returns:
      [B, 2] in degrees.
    """
    guesses = viewpoint_bins.hypotheses(answers, _NUM_HYPOTHESES, elevation_range)
    repeated = tf.repeat(voxels, _NUM_HYPOTHESES, axis=0)
    seen = projector([repeated, tf.reshape(guesses, [-1, 2])])
    seen = tf.reshape(seen, [-1, _NUM_HYPOTHESES, *masks.shape[1:]])
    error = tf.reduce_sum(tf.abs(seen - masks[:, None]), axis=[2, 3, 4])
    return tf.gather(guesses, tf.argmin(error, axis=1), batch_dims=1)
