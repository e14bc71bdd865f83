"""The project's only definition of axes, viewpoints and cameras.

Object axes: y up, front +x, right-handed (so +z is the object's right-hand side). The voxel
grid is a cube of side 1 centred on the origin; voxel [i, j, k] of N³ has its centre at
((i + ½)/N − ½, (j + ½)/N − ½, (k + ½)/N − ½) on the axes x, y, z.

Viewpoint: 2 or 7 numbers. The first two are (elevation e, azimuth a) in degrees. The camera looks
at the origin from the direction

    b = (cos e · cos a,  sin e,  −cos e · sin a)

so azimuth 0 sees the object's front from +x, azimuth 90 sees its left side from −z (azimuths run
counter-clockwise seen from above), and a positive elevation looks down on the object. Camera axes:
right r = (−sin a, 0, −cos a), up u = (−sin e · cos a, cos e, sin e · sin a), and b towards the
camera.

Of a viewpoint with 2 numbers, the `Camera` says the rest. The other 5 numbers are
  roll, in degrees: the camera's r and u are turned about b by it, counter-clockwise as the camera
    sees them, so that the object is turned clockwise in the image,
  distance from the camera to the origin, in grid sides,
  half width of the square that the image spans on the plane through the origin that is
    perpendicular to b, in grid sides,
  right, up: where on that plane the image's centre is, in grid sides.

Image: row 0 is the top, column 0 the left; pixel centres lie at half-integers.

`docs/conventions.png` shows these conventions, and `tests/projection/test_geometry.py` checks them.
"""

from collections.abc import Sequence

import numpy as np
import scipy.ndimage
import tensorflow as tf

from ptn_semi.projection.camera import Camera, ViewRanges

# The numbers of a viewpoint; a shorter one has the first two.
VIEWPOINT = ("elevation", "azimuth", "roll", "distance", "half_width", "right", "up")


def rotation(viewpoints: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Compute the rotation from object axes to camera axes.

    Args:
      viewpoints: [..., 2 or 7].

    Returns:
      [..., 3, 3], whose rows are the camera's right, up and backward axes in object coordinates:
      `rotation @ p` gives the camera coordinates of an object point p.
    """
    radians = tf.convert_to_tensor(viewpoints)[..., :3] * (np.pi / 180)
    elevation, azimuth = radians[..., 0], radians[..., 1]
    se, ce = tf.sin(elevation), tf.cos(elevation)
    sa, ca = tf.sin(azimuth), tf.cos(azimuth)
    rows = [[-sa, tf.zeros_like(sa), -ca], [-se * ca, ce, se * sa], [ce * ca, se, -ce * sa]]
    right, up, back = (tf.stack(row, axis=-1) for row in rows)
    if radians.shape[-1] == 3:
        sr, cr = tf.sin(radians[..., 2:]), tf.cos(radians[..., 2:])
        right, up = cr * right + sr * up, cr * up - sr * right
    return tf.stack([right, up, back], axis=-2)


def with_camera(viewpoints: tf.Tensor, camera: Camera) -> tf.Tensor:
    """Return viewpoints [B, 2] with the camera's numbers, [B, 7]. Those of 7 stay as they are.

    The distance of an orthographic camera is infinite.
    """
    if viewpoints.shape[-1] == 7:
        return viewpoints
    distance = camera.distance if camera.perspective else np.inf
    rest = [0.0, distance, float(camera.half_width(np.zeros(()))), 0.0, 0.0]
    ones = tf.ones_like(viewpoints[:, :1])
    return tf.concat([viewpoints, ones * tf.constant(rest, viewpoints.dtype)], axis=1)


def projection_matrix(
    viewpoint: Sequence[float] | np.ndarray, camera: Camera, image_size: int
) -> np.ndarray:
    """Compute the matrix that takes object points to pixels, for a comparison with other software.

    Args:
      viewpoint: [2 or 7].
      camera: the camera.
      image_size: S, the rows and columns of the image.

    Returns:
      M, float64 [3, 4]. For a point p in object coordinates, (u, v, w) = M @ (x, y, z, 1) gives its
      column u / w and its row v / w in the image, in pixels; the image spans 0 to S.
    """
    right, up, back = rotation(np.asarray(viewpoint, np.float64)).numpy()
    full = with_camera(tf.constant([viewpoint], tf.float64), camera).numpy()[0]
    distance, half_width, *centre = full[3:]
    if np.isfinite(distance):
        depth = np.array([*-back, distance])
    else:
        depth = np.array([0.0, 0, 0, 1])
    half = image_size / 2
    focal = half * depth[3] / half_width
    column = [*(focal * right), 0] + half * (1 - centre[0] / half_width) * depth
    row = [*(-focal * up), 0] + half * (1 + centre[1] / half_width) * depth
    return np.stack([column, row, depth])


def sample_viewpoints(
    count: int | tf.Tensor,
    seed: tf.Tensor | Sequence[int],
    ranges: ViewRanges | None = None,
    camera: Camera | None = None,
) -> tf.Tensor:
    """Draw viewpoints [count, 2 or 7] evenly from ranges; see `viewpoints_within`.

    They depend on the stateless seed [2] alone.
    """
    ranges, camera = ranges or ViewRanges(), camera or Camera()
    num_shares = 2 if ranges.num_values == 2 else 5
    uniform = tf.random.stateless_uniform([count, num_shares], seed)
    return viewpoints_within(uniform, ranges, camera)


def viewpoints_within(
    uniform: tf.Tensor | np.ndarray, ranges: ViewRanges, camera: Camera
) -> tf.Tensor:
    """Return the viewpoints, [..., 2 or 7], that lie at shares of ranges.

    Those that are to be framed have a half width of 0 until `framed_views.frame` sets it.

    Args:
      uniform: [..., 2 or 5] in [0, 1), of the elevation, the azimuth, the roll and the distance; a
        fifth number below `framed_share` is that of a view to be framed.
      ranges: the ranges.
      camera: says how large the grid is in images that are not framed.
    """
    uniform = tf.convert_to_tensor(uniform, tf.float32)
    low, high = np.array([ranges.elevation, ranges.azimuth], np.float32).T
    viewpoints = low + (high - low) * uniform[..., :2]
    if ranges.num_values == 2:
        return viewpoints
    roll = ranges.roll[0] + (ranges.roll[1] - ranges.roll[0]) * uniform[..., 2]
    nearest, farthest = inverse_distances(ranges, camera)
    inverse = farthest + (nearest - farthest) * uniform[..., 3]
    framed = uniform[..., 4] < ranges.framed_share
    half_width = tf.where(framed, 0.0, float(camera.half_width(np.zeros(()))))
    rest = [roll, 1 / inverse, half_width, 0 * roll, 0 * roll]
    return tf.concat([viewpoints, tf.stack(rest, axis=-1)], axis=-1)


def inverse_distances(ranges: ViewRanges, camera: Camera) -> tuple[float, float]:
    """Return the inverses of the least and the greatest distance, 0 for an orthographic camera."""
    if not camera.perspective:
        return 0.0, 0.0
    nearest, farthest = ranges.distance if any(ranges.distance) else (camera.distance,) * 2
    return 1 / nearest, 1 / farthest


def mirror_viewpoint(viewpoints: tf.Tensor) -> tf.Tensor:
    """Mirror viewpoints [..., 2 or 7] to match a mirrored shape (z → −z).

    From the mirrored viewpoint, the mask of the mirrored shape is the mirrored mask.
    """
    signs = [1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0]  # of the azimuth, the roll and to the right: −
    return viewpoints * tf.constant(signs[: viewpoints.shape[-1]])


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
