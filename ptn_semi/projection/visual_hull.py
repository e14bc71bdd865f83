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

    They contain the true shape and project to the same masks. Images of views with cameras of their
    own may show a part of the grid only. What is beyond such an image is empty too, unless the
    object reaches the image's border.

    Args:
      projector: the projector that the masks were rendered with, with nearest sampling.
      masks: [B, V, S, S, 1], 0 where empty.
      viewpoints: [B, V, 2 or 7]; see `geometry`.
      voxel_size: N.

    Returns:
      bool [B, N, N, N], axes x, y, z.
    """
    if viewpoints.shape[-1] == 7:
        projector, masks, viewpoints = _with_margin(projector, masks, viewpoints)
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


def _with_margin(
    projector: Projector, masks: np.ndarray | tf.Tensor, viewpoints: np.ndarray | tf.Tensor
) -> tuple[Projector, tf.Tensor, tf.Tensor]:
    """Return images of three times the side, which show more around the same pixels.

    The margin is empty, or full where the object reaches the border.
    """
    side = projector.image_size
    wider = Projector(3 * side, projector.camera, jit_compile=projector.jit_compile)
    masks = tf.convert_to_tensor(masks)
    inner = masks[:, :, 1:-1, 1:-1]
    cut = tf.reduce_sum(masks, axis=[2, 3, 4]) > tf.reduce_sum(inner, axis=[2, 3, 4])
    around = [[0, 0], [0, 0], [side] * 2, [side] * 2, [0, 0]]
    margin = tf.cast(cut, masks.dtype)[..., None, None, None]
    padded = tf.pad(masks - margin, around) + margin
    return wider, padded, viewpoints * np.array([1, 1, 1, 1, 3, 1, 1], np.float32)
