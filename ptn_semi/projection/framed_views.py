"""Views that are framed by the object: centred, and as large in the image as in any other view.

Users' images are framed so, since nobody knows how large an object is, or where its grid is, before
it has been reconstructed.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry

EXTENT = 0.875  # the longer side of the object's bounding box, as a share of the image's side


def frame(
    voxels: tf.Tensor,
    viewpoints: tf.Tensor,
    extent: float = EXTENT,
    centre: Sequence[float] = (0.0, 0.0),
) -> tf.Tensor:
    """Frame those views whose half width is 0, as `geometry.viewpoints_within` leaves them.

    The object's bounding box is then in the middle of the image, and its longer side takes `extent`
    of the image's side.

    Args:
      voxels: [B, N, N, N], 0 where empty.
      viewpoints: [B, 2 or 7]; see `geometry`. Those of 2 numbers stay as they are.
      extent: share of the image's side.
      centre: where the middle of the bounding box is, to the right and up of the image's middle, in
        half image sides.

    Returns:
      The viewpoints. Empty grids are framed as a single voxel in the middle would be.
    """
    if viewpoints.shape[1] == 2:
        return viewpoints
    size = voxels.shape[1]
    # A box is spanned by the ends of the columns of voxels.
    filled = tf.cast(voxels, tf.bool)
    columns = tf.reduce_any(filled, axis=2)  # [B, x, z]
    lowest = tf.argmax(filled, axis=2, output_type=tf.int32)
    highest = size - 1 - tf.argmax(filled[:, :, ::-1], axis=2, output_type=tf.int32)
    place = lambda index: (tf.cast(index, tf.float32) + 0.5) / size - 0.5
    x, z = (place(tf.reshape(tf.range(size), shape)) for shape in ([1, -1, 1], [1, 1, -1]))
    turn = geometry.rotation(viewpoints)
    low, high = [], []
    for ends in (lowest, highest):
        axes = x, place(ends), z
        right, up, back = (
            sum(turn[:, row, i, None, None] * axis for i, axis in enumerate(axes))
            for row in range(3)
        )
        scale = 1 - back / viewpoints[:, 3, None, None]
        places = tf.stack([right / scale, up / scale], axis=1)  # [B, 2, x, z]
        low.append(tf.reduce_min(tf.where(columns[:, None], places, np.inf), axis=[2, 3]))
        high.append(tf.reduce_max(tf.where(columns[:, None], places, -np.inf), axis=[2, 3]))
    low, high = tf.minimum(*low), tf.maximum(*high)  # [B, 2]
    empty = low > high
    low, high = tf.where(empty, 0.0, low), tf.where(empty, 0.0, high)
    # From the first voxel's centre to the last one's, and half a voxel beyond both.
    longer = tf.reduce_max(high - low, axis=1, keepdims=True) + 1 / size
    half_width = longer / (2 * extent)
    middle = (low + high) / 2 - half_width * np.array(centre, np.float32)
    framed = tf.concat([viewpoints[:, :4], half_width, middle], axis=1)
    return tf.where(viewpoints[:, 4:5] == 0, framed, viewpoints)
