"""Random warps of voxels, which make many similar shapes from a few."""

import tensorflow as tf

from ptn_semi.models import replicas

_KNOTS = 4  # pieces of an axis, each stretched independently


def random_warp(voxels: tf.Tensor, seed: tf.Tensor, strength: float | tf.Tensor) -> tf.Tensor:
    """Stretch each axis of each shape, as a whole and in pieces.

    Shapes stay centred and keep their longest side, because data sets scale shapes by it.

    Args:
      voxels: [B, N, N, N] occupancy, axes x, y, z (y up).
      seed: stateless seed [2].
      strength: the largest logarithm of the stretch of a whole axis, and of its pieces relative to
        each other; one for all shapes, or [B].

    Returns:
      [B, N, N, N], in which each value is that of the nearest voxel.
    """
    count, size = tf.shape(voxels)[0], voxels.shape[1]
    seeds = tf.unstack(tf.random.split(seed, 2))
    strength = tf.reshape(tf.cast(strength, tf.float32), [-1, 1])
    total = replicas.global_count(count)
    stretch = tf.random.stateless_uniform([total, 3], seeds[0])
    stretch = tf.exp(_between(replicas.local_rows(stretch), strength))
    extent = tf.stack([_extent(voxels, axis) for axis in (1, 2, 3)], axis=1)  # [B, 3]
    longest = tf.reduce_max(extent, axis=1, keepdims=True)
    stretch *= longest / tf.reduce_max(stretch * extent, axis=1, keepdims=True)
    pieces = tf.random.stateless_uniform([total, 3, _KNOTS], seeds[1])
    pieces = tf.exp(_between(replicas.local_rows(pieces), strength[..., None]))

    places = (tf.range(size, dtype=tf.float32) + 0.5) / size * 2 - 1  # voxel centres, in [-1, 1]
    for i in range(3):
        # The place that each voxel reads: piecewise linear within the shape's extent. Beyond it,
        # the place is outside the grid, which reads 0.
        reach = extent[:, i : i + 1]
        position = places[None] / (stretch[:, i : i + 1] * reach)  # [-1, 1] is the shape
        voxels = _read(voxels, _piecewise(position, pieces[:, i]) * reach, i + 1)
    return voxels


def _between(uniform: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Rescale uniform numbers in [0, 1) to [-strength, strength)."""
    return uniform * (2 * strength) - strength


def _extent(voxels: tf.Tensor, axis: int) -> tf.Tensor:
    """Measure how far shapes reach from the centre along an axis, [B] in half grid sides.

    An empty shape reaches half a voxel.
    """
    size = voxels.shape[axis]
    others = [i for i in (1, 2, 3) if i != axis]
    filled = tf.reduce_max(voxels, axis=others) > 0  # [B, N]
    edge = tf.abs(tf.range(size, dtype=tf.float32) + 0.5 - size / 2) + 0.5
    return tf.reduce_max(tf.where(filled, edge, 0.5), axis=1) / (size / 2)


def _piecewise(position: tf.Tensor, pieces: tf.Tensor) -> tf.Tensor:
    """Map positions [B, N] in [-1, 1] onto that range, linearly between knots.

    The pieces [B, K] are the relative distances between the knots. Positions outside the range are
    mapped to −10 or 10, where there is nothing to read.
    """
    knots = tf.cumsum(pieces, axis=1)
    knots = tf.pad(knots / knots[:, -1:], [[0, 0], [1, 0]])  # [B, K + 1], 0 to 1
    count = pieces.shape[1]
    scaled = tf.clip_by_value((position + 1) / 2, 0.0, 1.0) * count  # [B, N]
    lower = tf.minimum(tf.floor(scaled), count - 1.0)
    low = tf.gather(knots, tf.cast(lower, tf.int32), batch_dims=1)
    high = tf.gather(knots, tf.cast(lower, tf.int32) + 1, batch_dims=1)
    inside = (low + (high - low) * (scaled - lower)) * 2 - 1
    return tf.where(tf.abs(position) <= 1, inside, 10 * tf.sign(position))


def _read(voxels: tf.Tensor, places: tf.Tensor, axis: int) -> tf.Tensor:
    """Read the voxels that hold places [B, N] in [-1, 1] along an axis, or 0 outside."""
    size = voxels.shape[axis]
    index = tf.cast(tf.floor((places + 1) / 2 * size), tf.int32)
    index = tf.where((index >= 0) & (index < size), index, size)
    padded = tf.pad(voxels, [[0, int(i == axis)] for i in range(4)])
    return tf.gather(padded, index, axis=axis, batch_dims=1)
