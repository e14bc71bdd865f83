"""Linearly interpolated samples of rays, with a gradient to the voxels and to the viewpoint.

The camera never rolls, so the grid can be turned about one axis at a time (Catmull and Smith 1980).
It is turned by the azimuth about y, and then by the elevation about the camera's right axis onto
the places where rays cross the planes. Each turn interpolates bilinearly and moves whole rows along
its axis, which makes it fast. A fixed interpolation across the image remains, which is a matrix
product. Compared with one trilinear sample per point, this blurs slightly more, but it reads rows
instead of single voxels.

The gradient of a turn is written by hand. Only a few samples read each place of the grid, so the
backward pass also reads rows; a scatter would be slower.
"""

import math

import numpy as np
import tensorflow as tf

from ptn_semi.projection import rays
from ptn_semi.projection.camera import Camera


class SmoothSampler:
    """Samples voxels along the rays of a camera, one for each of S² pixels, from each viewpoint.

    `jit_compile` compiles the arithmetic with XLA, except for the matrix product.
    """

    def __init__(self, image_size: int, camera: Camera, jit_compile: bool) -> None:
        self._image_size, self._camera, self._jit_compile = image_size, camera, jit_compile
        self._turns: dict[int, tuple[_Turn, _Turn]] = {}

    def samples(self, voxels: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Sample voxels [B, N, N, N] along the rays of viewpoints [B, 2]; see `geometry`.

        Returns:
          [B, K, S, S], K samples per ray, farthest from the camera first.
        """
        return self._rows(voxels, viewpoints) @ self._across(voxels.shape[1])

    def sums(self, voxels: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Sum the samples along each ray, to [B, S, S]."""
        return tf.reduce_sum(self.samples(voxels, viewpoints), axis=1)

    def _rows(self, voxels, viewpoints):
        """Sample the image's rows on each plane, not yet its columns, [B, K, S, C]."""
        size = voxels.shape[1]
        if size not in self._turns:
            spacing = rays.pixel_spacing(size, self._image_size, self._camera)
            width = _width(size)
            self._turns[size] = (
                _Turn((size, size), (width, width), np.ones(width), self._jit_compile),
                _Turn((width, size), (len(spacing), self._image_size), spacing, self._jit_compile),
            )
        about_y, about_right = self._turns[size]
        elevation, azimuth = tf.unstack(viewpoints * (np.pi / 180), axis=1)
        # (x, −z) is (back, right) turned by the azimuth. With this back, (back, −y) is the camera's
        # (back, down) turned by the negative elevation.
        turned = about_y(tf.transpose(voxels, [0, 1, 3, 2]), azimuth)  # [B, back, right, y]
        return about_right(tf.transpose(turned, [0, 1, 3, 2]), -elevation)

    def _across(self, voxel_size):
        """Return the weights of a row's places for each of its pixels on each plane, [K, C, S]."""
        spacing = rays.pixel_spacing(voxel_size, self._image_size, self._camera)
        right = spacing[:, None, None] * rays.centred(self._image_size)
        distance = np.abs(right - rays.centred(_width(voxel_size))[:, None])
        return tf.constant(np.maximum(0, 1 - distance), tf.float32)


def _width(voxel_size):
    """Return how many places a grid needs across once it is turned about one axis.

    The places coincide with the voxels' centres at quarter turns.
    """
    return voxel_size + 2 * math.ceil((voxel_size + 1) * (math.sqrt(2) - 1) / 2)


class _Turn:
    """Bilinear interpolation of turned planes, which leaves their third axis unchanged.

    Sample [m, n] lies at (a·cos − b·sin, −a·sin − b·cos) of the input plane, where a = m and
    b = spacing[m]·n, all counted from the centres. The input is 0 outside its bounds.

    Args:
      input_size: (I, J) of the input planes [B, I, J, C].
      output_size: (M, L) of the samples [B, M, L, C].
      spacing: [M], distance between neighbouring samples along b.
      jit_compile: compile with XLA.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        output_size: tuple[int, int],
        spacing: np.ndarray,
        jit_compile: bool,
    ) -> None:
        self._input_size, self._output_size = input_size, output_size
        self._spacing = spacing.astype(np.float32)
        # Places are computed in programs of their own: fused with the reads, XLA would compute them
        # again for every element of a row.
        for name in ("_samples", "_reached", "_read", "_turning"):
            method = getattr(self, name)
            setattr(self, name, tf.function(method, jit_compile=jit_compile, autograph=False))

    def __call__(self, planes: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
        """Turn planes [B, I, J, C] by angles [B], in radians, into samples [B, M, L, C]."""

        @tf.custom_gradient
        def turn(planes, angles):
            indices, weights, slopes = self._samples(angles)

            def gradient(upstream):
                back = self._read(upstream, *self._reached(angles))
                turning = self._turning(planes, indices, slopes, upstream)
                return tf.reshape(back, tf.shape(planes)), turning

            samples = self._read(planes, indices, weights)
            return tf.reshape(samples, [-1, *self._output_size, planes.shape[-1]]), gradient

        return turn(planes, angles)

    def _samples(self, angles):
        """Return the four places that each sample reads, their weights and their slopes.

        All are [B, M·L, 4]: places are indices into the flattened planes, and a slope is the
        derivative of a weight with respect to the angle.
        """
        cosine, sine = tf.cos(angles)[:, None, None], tf.sin(angles)[:, None, None]
        a = rays.centred(self._output_size[0]).astype(np.float32)[:, None]
        b = self._spacing[:, None] * rays.centred(self._output_size[1]).astype(np.float32)
        p, q = cosine * a - sine * b, -sine * a - cosine * b
        dp, dq = q, -p  # derivatives with respect to the angle
        lows, highs = [], []
        for place, size in zip((p, q), self._input_size, strict=True):
            place += (size - 1) / 2
            low = tf.floor(place)
            lows.append(tf.cast(low, tf.int32))
            highs.append(place - low)
        indices, weights, slopes = [], [], []
        for corner in np.ndindex(2, 2):
            places = [low + c for low, c in zip(lows, corner, strict=True)]
            index, inside = _flat(places, self._input_size)
            wp, wq = (h if c else 1 - h for h, c in zip(highs, corner, strict=True))
            sp, sq = (s if c else -s for s, c in zip((dp, dq), corner, strict=True))
            indices.append(index)
            weights.append(tf.where(inside, wp * wq, 0))
            slopes.append(tf.where(inside, sp * wq + wp * sq, 0))
        return tuple(_listed(x) for x in (indices, weights, slopes))

    def _reached(self, angles):
        """Return the samples that read each place of the input, and their weights, [B, I·J, T].

        Samples are indices into the flattened output.
        """
        cosine, sine = tf.cos(angles)[:, None, None], tf.sin(angles)[:, None, None]
        p, q = (rays.centred(size).astype(np.float32) for size in self._input_size)
        p = p[:, None]
        a, b = cosine * p - sine * q, -sine * p - cosine * q
        # A sample reads places less than 1 away along both axes, and so less than √2 away in any
        # direction.
        reach = math.sqrt(2)
        middle_m, middle_n = ((size - 1) / 2 for size in self._output_size)
        first = tf.math.ceil(a - reach + middle_m)
        spacing = tf.constant(self._spacing)
        indices, weights = [], []
        for i in range(3):
            m = first + i
            row = tf.cast(m, tf.int32)
            step = tf.gather(spacing, tf.clip_by_value(row, 0, self._output_size[0] - 1))
            first_n = tf.maximum(tf.math.ceil((b - reach) / step + middle_n), 0)
            # Close to the camera, samples may be so dense that a whole row is within reach.
            for j in range(min(int(2 * reach / self._spacing.min()) + 1, self._output_size[1])):
                n = first_n + j
                da, db = m - middle_m - a, step * (n - middle_n) - b
                weight = tf.nn.relu(1 - tf.abs(cosine * da - sine * db))
                weight *= tf.nn.relu(1 - tf.abs(sine * da + cosine * db))
                index, inside = _flat([row, tf.cast(n, tf.int32)], self._output_size)
                indices.append(index)
                weights.append(tf.where(inside, weight, 0))
        return _listed(indices), _listed(weights)

    def _read(self, planes, indices, weights):
        """Sum the rows of planes [B, ..., C] at indices [B, X, T] with weights, to [B, X, C]."""
        rows = tf.reshape(planes, [tf.shape(planes)[0], -1, planes.shape[-1]])
        return tf.reduce_sum(weights[..., None] * tf.gather(rows, indices, batch_dims=1), axis=2)

    def _turning(self, planes, indices, slopes, upstream):
        """Compute the gradient with respect to the angles, [B]."""
        change = tf.reshape(self._read(planes, indices, slopes), tf.shape(upstream))
        # Summing over the samples first and along the rows second runs over whole vectors.
        return tf.reduce_sum(tf.reduce_sum(change * upstream, axis=[1, 2]), axis=1)


def _flat(places, sizes):
    """Return indices into flattened planes, 0 if outside, and whether they are inside."""
    (i, j), (rows, columns) = places, sizes
    inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
    return tf.where(inside, i * columns + j, 0), inside


def _listed(values):
    """Stack T tensors [B, ..., ...] of X elements each to [B, X, T]."""
    values = tf.stack(values, axis=-1)
    return tf.reshape(values, [tf.shape(values)[0], -1, values.shape[-1]])
