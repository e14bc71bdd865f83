"""The project's only definition of axes, viewpoints and cameras.

Object axes: y up, front +x, right-handed (so +z is the object's right-hand side). The voxel
grid is a cube of side 1 centred on the origin; voxel [i, j, k] of N³ has its centre at
((i + ½)/N − ½, (j + ½)/N − ½, (k + ½)/N − ½) on the axes x, y, z.

Viewpoint: (elevation e, azimuth a) in degrees. The camera looks at the origin from the direction

    b = (cos e · cos a,  sin e,  −cos e · sin a)

so azimuth 0 sees the object's front from +x, azimuth 90 sees its left side from −z (azimuths run
counter-clockwise seen from above), and a positive elevation looks down on the object. Camera axes:
right r = (−sin a, 0, −cos a), up u = (−sin e · cos a, cos e, sin e · sin a), and b towards the
camera.

Image: row 0 is the top, column 0 the left; pixel centres lie at half-integers.

`docs/conventions.png` shows these conventions, and `tests/projection/test_geometry.py` checks them.
"""

from collections.abc import Sequence

import numpy as np
import scipy.ndimage
import tensorflow as tf

from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera


def rotation(viewpoints: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Compute the rotation from object axes to camera axes.

    Args:
      viewpoints: [..., 2] elevation and azimuth in degrees.

    Returns:
      [..., 3, 3], whose rows are the camera's right, up and backward axes in object coordinates:
      `rotation @ p` gives the camera coordinates of an object point p.
    """
    radians = tf.convert_to_tensor(viewpoints) * (np.pi / 180)
    elevation, azimuth = radians[..., 0], radians[..., 1]
    se, ce = tf.sin(elevation), tf.cos(elevation)
    sa, ca = tf.sin(azimuth), tf.cos(azimuth)
    rows = [[-sa, tf.zeros_like(sa), -ca], [-se * ca, ce, se * sa], [ce * ca, se, -ce * sa]]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def projection_matrix(viewpoint: Sequence[float], camera: Camera, image_size: int) -> np.ndarray:
    """Compute the matrix that takes object points to pixels, for a comparison with other software.

    Args:
      viewpoint: elevation and azimuth in degrees.
      camera: the camera.
      image_size: S, the rows and columns of the image.

    Returns:
      M, float64 [3, 4]. For a point p in object coordinates, (u, v, w) = M @ (x, y, z, 1) gives its
      column u / w and its row v / w in the image, in pixels; the image spans 0 to S.
    """
    right, up, back = rotation(np.asarray(viewpoint, np.float64)).numpy()
    half = image_size / 2
    if camera.perspective:
        focal = half / np.tan(np.radians(camera.field_of_view / 2))
        depth = np.array([*-back, camera.distance])
    else:
        focal = image_size
        depth = np.array([0.0, 0, 0, 1])
    rows = [[*(focal * right), 0], [*(-focal * up), 0]]
    return np.stack([*(row + half * depth for row in np.array(rows)), depth])


def sample_viewpoints(
    count: int | tf.Tensor,
    seed: tf.Tensor | Sequence[int],
    elevation_range: Sequence[float] = ELEVATION_RANGE,
    azimuth_range: Sequence[float] = AZIMUTH_RANGE,
) -> tf.Tensor:
    """Draw viewpoints [count, 2] uniformly from ranges of elevation and azimuth, all in degrees.

    They depend on the stateless seed [2] alone.
    """
    low = tf.constant([elevation_range[0], azimuth_range[0]], tf.float32)
    high = tf.constant([elevation_range[1], azimuth_range[1]], tf.float32)
    return low + (high - low) * tf.random.stateless_uniform([count, 2], seed)


def mirror_viewpoint(viewpoints: tf.Tensor) -> tf.Tensor:
    """Mirror viewpoints [..., 2] in degrees to match a mirrored shape (z → −z).

    From the mirrored viewpoint, the mask of the mirrored shape is the mirrored mask.
    """
    return viewpoints * tf.constant([1.0, -1.0])


def turn_voxels(voxels: np.ndarray, degrees: float) -> np.ndarray:
    """Turn shapes about the vertical axis, counter-clockwise seen from above.

    From azimuth a, a shape turned by t looks as it did from a − t.

    Args:
      voxels: [B, N, N, N], axes x, y, z.
      degrees: t.

    Returns:
      [B, N, N, N] of the same dtype, interpolated linearly; places from outside the grid are 0.
    """
    if not degrees:
        return voxels
    return scipy.ndimage.rotate(voxels, -degrees, axes=(1, 3), reshape=False, order=1)
