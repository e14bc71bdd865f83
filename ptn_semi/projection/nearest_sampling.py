"""Nearest-voxel samples of rays, the fast method, with a gradient to the voxels only.

The indices of the voxels are computed once for the forward and the backward pass, in a program of
their own: fused with the reads, XLA would compute them one by one. The backward pass is a weighted
histogram per grid. It stays outside XLA, whose scatter is slower on a CPU.
"""

import functools
import itertools
import os

import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry, rays
from ptn_semi.projection.camera import Camera


class NearestSampler:
    """Samples voxels along the rays of a camera, one for each of S² pixels, from each viewpoint.

    `jit_compile` compiles the arithmetic with XLA.
    """

    def __init__(self, image_size: int, camera: Camera, jit_compile: bool) -> None:
        self._image_size, self._camera = image_size, camera
        compiled = functools.partial(tf.function, jit_compile=jit_compile, autograph=False)
        self.indices = compiled(self.indices)  # type: ignore[method-assign]
        self._read = compiled(_read)
        self._read_sums = compiled(_read_sums)

    def samples(self, voxels: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Sample voxels [B, N, N, N] along the rays of viewpoints [B, 2 or 7]; see `geometry`.

        Returns:
          [B, K, S, S], K samples per ray, farthest from the camera first.
        """
        return self._sample(self._read, voxels, viewpoints)

    def sums(self, voxels: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Sum the samples along each ray, to [B, S, S]."""
        return tf.squeeze(self._sample(self._read_sums, voxels, viewpoints), axis=1)

    def _sample(self, read, voxels, viewpoints):
        indices = self.indices(viewpoints, voxels.shape[1])

        @tf.custom_gradient
        def sample(voxels):
            def gradient(upstream):
                weights = tf.broadcast_to(upstream, tf.shape(indices))  # a sum's, to its samples
                return _histograms(indices, weights, voxels.shape[1])

            return read(voxels, indices), gradient

        return sample(voxels)

    def indices(self, viewpoints: tf.Tensor, voxel_size: int) -> tf.Tensor:
        """Return indices of the samples in a flattened grid, [B, K, S, S]; N³ if outside."""
        # Where the rays are on each plane: [K, 1, S], [K, S, 1] and [K, 1, 1], or of each view.
        across = rays.centred(self._image_size).astype(np.float32)
        depths = rays.depths(voxel_size)
        back = tf.constant(depths[:, None, None], tf.float32)
        if viewpoints.shape[1] == 2:
            spacing = rays.pixel_spacing(voxel_size, self._image_size, self._camera)
            right = tf.constant(spacing[:, None, None] * across, tf.float32)
            up = tf.constant(spacing[:, None, None] * -across[:, None], tf.float32)
        else:
            distance, half_width, *centre = (
                tf.reshape(value, [-1, 1, 1, 1]) for value in tf.unstack(viewpoints[:, 3:], axis=1)
            )
            scale = voxel_size - back / distance  # of the plane's part of the image, in voxels
            step = half_width * (2 / self._image_size)
            right = scale * (centre[0] + step * across)
            up = scale * (centre[1] - step * across[:, None])
        turn = geometry.rotation(viewpoints)
        # TFLite slices at most five axes, so each entry gets its further axes by itself.
        axes = [[tf.reshape(turn[:, j, i], [-1, 1, 1, 1]) for i in range(3)] for j in range(3)]
        # Voxel i spans [i, i + 1) of its axis.
        points = [
            axes[0][i] * right + axes[1][i] * up + axes[2][i] * back + voxel_size / 2
            for i in range(3)
        ]
        x, y, z = (tf.cast(tf.floor(p), tf.int32) for p in points)
        inside = tf.ones_like(x, tf.bool)
        for i in (x, y, z):
            inside &= (i >= 0) & (i < voxel_size)
        return tf.where(inside, (x * voxel_size + y) * voxel_size + z, voxel_size**3)


def _read(voxels, indices):
    flat = tf.reshape(voxels, [-1, voxels.shape[1] ** 3])
    flat = tf.pad(flat, [[0, 0], [0, 1]])  # samples outside the grid read this 0
    return tf.gather(flat, indices, batch_dims=1)


def _read_sums(voxels, indices):
    return tf.reduce_sum(_read(voxels, indices), axis=1, keepdims=True)


def _histograms(indices, weights, voxel_size):
    """Sum weights by index, both [B, K, S, S], into grids [B, N, N, N]."""
    count, size = tf.shape(indices)[0], voxel_size**3
    indices, weights = (tf.reshape(x, [count, -1]) for x in (indices, weights))
    if tf.config.list_physical_devices("GPU"):
        rows = tf.range(count)[:, None]
        flat = tf.where(indices < size, rows * size + indices, -1)  # −1 is ignored
        sums = tf.math.unsorted_segment_sum(
            tf.reshape(weights, [-1]), tf.reshape(flat, [-1]), count * size
        )
    else:
        # This is deterministic, and faster than the scatters. The kernel uses one thread per call,
        # so each core gets a piece of the batch. Of an empty piece, XLA's kernel returns a row.
        pieces = min(os.cpu_count() or 1, 16)
        bounds = [count * i // pieces for i in range(pieces + 1)]
        sums = tf.concat(
            [
                tf.reshape(
                    tf.raw_ops.DenseBincount(
                        input=indices[low:high], size=size, weights=weights[low:high]
                    ),
                    [-1, size],
                )[: high - low]
                for low, high in itertools.pairwise(bounds)
            ],
            axis=0,
        )
    return tf.reshape(sums, [-1, voxel_size, voxel_size, voxel_size])
