"""Visual hulls: the largest shapes that explain posed masks, carved with the projector's rays."""

import math

import numpy as np
import tensorflow as tf
import tqdm

_BATCH = 32  # shapes carved at a time; no effect on the result


def visual_hull(projector, masks, viewpoints, voxel_size):
    """Voxels that no ray through an empty pixel touches: bool [B, N, N, N], axes x, y, z.

    The true shape is inside, and its hull projects to the same masks.

    Args:
      projector: the `Projector` that the masks were rendered with, sampling nearest.
      masks: [B, V, S, S, 1], 0 where empty.
      viewpoints: [B, V, 2] in degrees.
      voxel_size: N.
    """
    count = tf.shape(masks)[0]
    empty = tf.zeros([count] + [voxel_size] * 3)
    touched = tf.zeros_like(empty, tf.bool)
    for view in range(masks.shape[1]):
        background = tf.cast(masks[:, view] == 0, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(empty)
            # What a voxel would add to the background: nothing unless one of its rays touches it.
            spilled = tf.reduce_sum(projector([empty, viewpoints[:, view]]) * background)
        touched |= tape.gradient(spilled, empty) > 0
    return ~touched


def packed_hulls(shapes, chosen, num_views, projector, progress=False):
    """Hulls of the chosen shapes from their first views, packed: uint8 [chosen, ceil(N³/8)].

    Args:
      shapes: `splits.Shapes`.
      chosen: indices of shapes.
      num_views: how many views of each are used, from the first.
      projector: the `Projector` that the masks were rendered with, sampling nearest.
      progress: show a bar.
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
