"""Visual hulls, the largest shapes that explain posed masks, carved with the projector's rays."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tqdm

from ptn_semi.projection.projector import Projector

_BATCH = 32  # shapes carved at a time; no effect on the result


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


def packed_hulls(
    shapes,
    chosen: Sequence[int] | np.ndarray,
    num_views: int,
    projector: Projector,
    progress: bool = False,
) -> np.ndarray:
    """Carve the hulls of chosen shapes from their first views and pack them 8 voxels to a byte.

    Args:
      shapes: the `data.splits.Shapes`.
      chosen: indices of the shapes.
      num_views: how many views of each shape to use, from the first.
      projector: the projector that the masks were rendered with, with nearest sampling.
      progress: show a progress bar.

    Returns:
      uint8 [len(chosen), ceil(N³/8)].
    """
    num_views = min(num_views, shapes.masks.shape[1])
    hulls = np.zeros([len(chosen), math.ceil(shapes.voxel_size**3 / 8)], np.uint8)
    starts = range(0, len(chosen), _BATCH)
    for start in tqdm.tqdm(starts, desc="carving", unit=" batches", disable=not progress):
        index = np.asarray(chosen[start : start + _BATCH])
        masks = shapes.unpack_masks(index[:, None], np.arange(num_views))
        viewpoints = shapes.viewpoints[index, :num_views]
        hull = visual_hull(projector, masks, viewpoints, shapes.voxel_size).numpy()
        hulls[start : start + len(index)] = np.packbits(hull.reshape(len(index), -1), axis=-1)
    return hulls
