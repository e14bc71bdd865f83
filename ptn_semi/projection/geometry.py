"""The project's one definition of axes, viewpoints and cameras.

Object axes: y up, front +x, right-handed (so +z is the object's right-hand side). The voxel
grid is a cube of side 1 centred on the origin; voxel [i, j, k] of N³ has its centre at
((i + ½)/N − ½, (j + ½)/N − ½, (k + ½)/N − ½) on the axes x, y, z.

Viewpoint: (elevation e, azimuth a) in degrees. The camera looks at the origin from the direction

    b = (cos e · cos a,  sin e,  −cos e · sin a)

so azimuth 0 sees the object's front from +x, azimuth 90 its left side from −z (counter-clockwise
seen from above), and a positive elevation looks down on it. Camera axes: right
r = (−sin a, 0, −cos a), up u = (−sin e · cos a, cos e, sin e · sin a), and b towards the camera.

Image: row 0 is the top, column 0 the left; pixel centres lie at half-integers.

`docs/conventions.png` draws all this; `tests/test_geometry.py` holds it.
"""

import numpy as np
import scipy.ndimage
import tensorflow as tf

from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE


def rotation(viewpoints):
    """Rotation from object axes to camera axes.

    Args:
      viewpoints: [..., 2] elevation and azimuth in degrees.

    Returns:
      [..., 3, 3]; its rows are the camera's right, up and backward axes in object coordinates, so
      that `rotation @ p` are the camera coordinates of an object point p.
    """
    radians = tf.convert_to_tensor(viewpoints) * (np.pi / 180)
    elevation, azimuth = radians[..., 0], radians[..., 1]
    se, ce = tf.sin(elevation), tf.cos(elevation)
    sa, ca = tf.sin(azimuth), tf.cos(azimuth)
    rows = [[-sa, tf.zeros_like(sa), -ca], [-se * ca, ce, se * sa], [ce * ca, se, -ce * sa]]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def sample_viewpoints(count, seed, elevation_range=ELEVATION_RANGE, azimuth_range=AZIMUTH_RANGE):
    """Viewpoints drawn uniformly, in degrees, [count, 2], from a stateless seed [2]."""
    low = tf.constant([elevation_range[0], azimuth_range[0]], tf.float32)
    high = tf.constant([elevation_range[1], azimuth_range[1]], tf.float32)
    return low + (high - low) * tf.random.stateless_uniform([count, 2], seed)


def mirror_viewpoint(viewpoints):
    """Viewpoints [..., 2] whose masks of the mirrored shape (z → −z) are the mirrored masks."""
    return viewpoints * tf.constant([1.0, -1.0])


def turn_voxels(voxels, degrees):
    """Turns shapes about the vertical axis, counter-clockwise seen from above.

    A shape turned by t looks from azimuth a as it did from a − t.

    Args:
      voxels: [B, N, N, N], axes x, y, z; an array.
      degrees: t.

    Returns:
      [B, N, N, N] of the same type, interpolated linearly, 0 where nothing was.
    """
    return scipy.ndimage.rotate(voxels, -degrees, axes=(1, 3), reshape=False, order=1)
