"""Training batches, drawn statelessly.

Batch t depends on (seed, t) alone, so a run that is interrupted resumes bit-identically.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ptn_semi.data.supervision import Supervision
from ptn_semi.projection import geometry
from ptn_semi.utils.seeds import stateless_seed

_BIT_PLACES = (7, 6, 5, 4, 3, 2, 1, 0)  # as `np.packbits` packs 8 to a byte


def batch_dataset(
    supervision: Supervision,
    batch_size: int,
    seed: int,
    labeled_batch_size: int = 0,
    start: int = 0,
) -> tf.data.Dataset:
    """Create an endless dataset of training batches.

    Shapes are drawn evenly over their categories, however many each has, and evenly in a category.
    Where a shape may be mirrored, half of its pairs, unlabeled masks and hulls are those of its
    mirror image, with columns reversed and azimuths negated.

    Args:
      supervision: what the run learns from.
      batch_size: U, the number of unlabeled masks, and of hulls.
      seed: seed of everything that is drawn.
      labeled_batch_size: B, the number of pairs of views; 0 for `batch_size`.
      start: training step of the first batch.

    Returns:
      A dataset of dicts. `view_a` and `view_b` are masks, float32 [B, S, S, 1], of two different
      views of the same shapes; `viewpoint_a` and `viewpoint_b` float32 [B, 2], in degrees.
      `unlabeled` are masks, float32 [U, S, S, 1], of all views of the data set's own shapes, or of
      images. If there are hulls, `hull` is float32 [U, N, N, N] in [0, 1], and `warp_strength`
      float32 [U].
    """
    sampler = _Sampler(supervision, batch_size, labeled_batch_size or batch_size, seed)
    steps = tf.data.Dataset.counter(start=np.int64(start))
    return steps.map(sampler.draw).prefetch(4)


class _Groups(NamedTuple):
    """Indices ordered by their category, and where each category starts and its size."""

    order: tf.Tensor
    starts: tf.Tensor
    sizes: tf.Tensor


class _Sampler:
    """Draws whole batches with a few gathers from tensors that hold all shapes."""

    def __init__(self, supervision: Supervision, batch_size: int, pairs: int, seed: int) -> None:
        shapes, labeled = supervision.shapes, supervision.labeled
        self._batch_size, self._pairs, self._seed = batch_size, pairs, seed
        self._image_size = shapes.image_size
        self._num_views = shapes.masks.shape[1]
        self._pair_views = min(supervision.labeled_views, self._num_views)
        # Masks that stay on disk are read there. An array of hulls or masks would be copied into
        # the graph, which holds 2 GB at most; a constant is not.
        on_disk = isinstance(shapes.masks, np.memmap)
        self._masks = shapes.masks if on_disk else tf.constant(shapes.masks)
        self._viewpoints = tf.constant(shapes.viewpoints)
        self._may_mirror = tf.constant(supervision.may_mirror)
        self._own_groups = _groups(shapes.categories[: supervision.num_own])
        self._labeled_groups = _groups(shapes.categories[labeled])
        self._labeled = tf.constant(labeled, tf.int32)
        self._images = None
        if supervision.images is not None:
            self._images = tf.constant(supervision.images)
            self._num_images = max(1, round(supervision.images_share * batch_size))
        self._occupancy = supervision.occupancy
        if self._occupancy is not None:
            self._hulls = tf.constant(self._occupancy.hulls)
            self._packed = tf.constant(self._occupancy.packed)
            self._warp_strengths = tf.constant(supervision.warp_strengths)

    def draw(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """Draw the batch of a training step."""
        batch = {"unlabeled": self._draw_unlabeled(step)}
        if self._occupancy is not None:
            batch |= self._draw_hulls(step)
        return batch | self._draw_pairs(step)

    def _draw_unlabeled(self, step: tf.Tensor) -> tf.Tensor:
        count = self._batch_size
        shape = self._draw_shapes("unlabeled_shape", count, self._own_groups, step)
        view = self._uniform("unlabeled_view", count, self._num_views, step)
        mirrored = self._draw_mirrored("mirrored_unlabeled", shape, step)
        masks = _mirror(self._read_masks(shape, view), mirrored, axis=2)
        if self._images is None:
            return masks
        # Some rows, the same in each batch, are masks of images. Both kinds use one random stream,
        # of which they never use the same numbers.
        image = self._uniform("unlabeled_shape", count, self._images.shape[0], step)
        heads = self._uniform("mirrored_unlabeled", count, 2, step) > 0
        mirrored = heads & tf.reduce_all(self._may_mirror)
        of_images = _mirror(self._unpack_masks(tf.gather(self._images, image)), mirrored, axis=2)
        rows = tf.range(count) < self._num_images
        return tf.where(rows[:, None, None, None], of_images, masks)

    def _draw_hulls(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        row = self._draw_shapes("hull", self._batch_size, self._labeled_groups, step)
        hulls = self._read_occupancy(row)
        mirrored = self._draw_mirrored("mirrored_hull", tf.gather(self._labeled, row), step)
        return {
            "hull": _mirror(hulls, mirrored, axis=3),
            "warp_strength": tf.gather(self._warp_strengths, row),
        }

    def _draw_pairs(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        count, views = self._pairs, self._pair_views
        row = self._draw_shapes("labeled_shape", count, self._labeled_groups, step)
        shape = tf.gather(self._labeled, row)
        view_a = self._uniform("view_a", count, views, step)
        view_b = (view_a + 1 + self._uniform("view_b", count, views - 1, step)) % views
        mirrored = self._draw_mirrored("mirrored_pair", shape, step)
        pairs = {}
        for name, view in (("a", view_a), ("b", view_b)):
            viewpoint = tf.gather_nd(self._viewpoints, tf.stack([shape, view], axis=1))
            pairs[f"view_{name}"] = _mirror(self._read_masks(shape, view), mirrored, axis=2)
            pairs[f"viewpoint_{name}"] = tf.where(
                mirrored[:, None], geometry.mirror_viewpoint(viewpoint), viewpoint
            )
        return pairs

    def _uniform(self, purpose: str, count: int, high: int, step: tf.Tensor) -> tf.Tensor:
        seed = stateless_seed(self._seed, purpose, step)
        return tf.random.stateless_uniform([count], seed, 0, high, tf.int32)

    def _draw_mirrored(self, purpose: str, shape: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Draw which of these shapes are mirrored, bool [count]."""
        heads = self._uniform(purpose, shape.shape[0], 2, step) > 0
        return tf.gather(self._may_mirror, shape) & heads

    def _draw_shapes(self, purpose: str, count: int, groups: _Groups, step: tf.Tensor) -> tf.Tensor:
        """Draw shapes [count] evenly over categories, and evenly in a category."""
        if groups.sizes.shape[0] == 1:  # one number decides, as before there were groups
            place = self._uniform(purpose, count, groups.order.shape[0], step)
            return tf.gather(groups.order, place)
        share = tf.random.stateless_uniform(
            [2, count], stateless_seed(self._seed, purpose, step), dtype=tf.float64
        )
        group = tf.cast(share[0] * groups.sizes.shape[0], tf.int32)
        size = tf.cast(tf.gather(groups.sizes, group), tf.float64)
        place = tf.gather(groups.starts, group) + tf.cast(share[1] * size, tf.int32)
        return tf.gather(groups.order, place)

    def _read_masks(self, shape: tf.Tensor, view: tf.Tensor) -> tf.Tensor:
        """Read masks, float32 [count, S, S, 1]."""
        index = tf.stack([shape, view], axis=1)
        if isinstance(self._masks, np.memmap):
            packed = tf.numpy_function(
                lambda i: self._masks[i[:, 0], i[:, 1]], [index], tf.uint8, stateful=False
            )
        else:
            packed = tf.gather_nd(self._masks, index)
        return self._unpack_masks(tf.ensure_shape(packed, [shape.shape[0], self._masks.shape[-1]]))

    def _unpack_masks(self, packed: tf.Tensor) -> tf.Tensor:
        """Unpack masks [count, ceil(S²/8)] to float32 [count, S, S, 1]."""
        count, size = packed.shape[0], self._image_size
        return tf.reshape(_unpack(packed)[:, : size**2], [count, size, size, 1])

    def _read_occupancy(self, row: tf.Tensor) -> tf.Tensor:
        """Read the hulls or voxels of labeled shapes, float32 [count, N, N, N] in [0, 1]."""
        num_hulls, num_packed = self._hulls.shape[0], self._packed.shape[0]
        read, is_hull = [], row < num_hulls
        if num_hulls:
            hulls = tf.gather(self._hulls, tf.where(is_hull, row, 0))
            read.append(tf.cast(hulls, tf.float32) / 255)
        if num_packed:
            bits = _unpack(tf.gather(self._packed, tf.where(is_hull, 0, row - num_hulls)))
            read.append(tf.reshape(bits, [row.shape[0], *self._hulls.shape[1:]]))
        return read[0] if len(read) == 1 else tf.where(is_hull[:, None, None, None], *read)


def _unpack(packed: tf.Tensor) -> tf.Tensor:
    """Unpack bytes [count, n] to zeros and ones, float32 [count, 8 n]."""
    bits = tf.bitwise.right_shift(packed[..., None], tf.constant(_BIT_PLACES, tf.uint8)) & 1
    return tf.cast(tf.reshape(bits, [packed.shape[0], -1]), tf.float32)


def _groups(categories: np.ndarray) -> _Groups:
    order = np.argsort(categories, kind="stable")
    _, starts, sizes = np.unique(categories[order], return_index=True, return_counts=True)
    return _Groups(*(tf.constant(each, tf.int32) for each in (order, starts, sizes)))


def _mirror(values: tf.Tensor, chosen: tf.Tensor, axis: int) -> tf.Tensor:
    """Reverse an axis of the chosen examples: 2, the columns, of masks; 3, z, of voxels."""
    return tf.where(chosen[:, None, None, None], tf.reverse(values, axis=[axis]), values)
