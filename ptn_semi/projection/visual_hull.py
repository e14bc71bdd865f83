"""Visual hulls, the largest shapes that explain some masks, carved with the projector's rays."""

import numpy as np
import tensorflow as tf

from ptn_semi.projection.projector import Projector


def visual_hull(
    projector: Projector,
    masks: np.ndarray | tf.Tensor,
    viewpoints: np.ndarray | tf.Tensor,
    voxel_size: int,
) -> tf.Tensor:
    """Find the voxels that no ray through an empty pixel touches.

    They contain the true shape and project to the same masks.

    Args:
      projector: the projector that the masks were rendered with, with nearest sampling.
      masks: [B, V, S, S, 1], 0 where empty.
      viewpoints: [B, V, 2] in degrees.
      voxel_size: N.

    Returns:
      bool [B, N, N, N], axes x, y, z.
    """
    count = tf.shape(masks)[0]
    empty = tf.zeros([count] + [voxel_size] * 3)
    touched = tf.zeros_like(empty, tf.bool)
    for view in range(masks.shape[1]):
        background = tf.cast(masks[:, view] == 0, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(empty)
            # The gradient is what a voxel would add to the background. It is 0 unless one of the
            # background's rays touches the voxel.
            spilled = tf.reduce_sum(projector([empty, viewpoints[:, view]]) * background)
        touched |= tape.gradient(spilled, empty) > 0
    return ~touched
