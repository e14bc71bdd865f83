"""Training batches, drawn statelessly.

Batch t depends on (seed, t) alone, so a run that is interrupted resumes bit-identically.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ptn_semi.data.splits import Shapes
from ptn_semi.projection import geometry
from ptn_semi.utils.seeds import stateless_seed


def labeled_subset(
    model_ids: Sequence[str] | np.ndarray,
    categories: Sequence[str] | np.ndarray,
    pose_fraction: float,
    seed: int,
) -> np.ndarray:
    """Choose the shapes whose viewpoints are used in training: a share of each category.

    The shapes of a category are ranked by a hash of (seed, model id). A smaller fraction therefore
    gives a subset of what a larger one gives, and shapes that are added do not change the order of
    the others.

    Args:
      model_ids: one per shape.
      categories: one per shape.
      pose_fraction: share of the shapes to choose, in [0, 1]; of each category at least one.
      seed: seed of the ranking.

    Returns:
      Sorted indices of the labeled shapes, int [labeled].
    """
    rank = [hashlib.sha256(f"{seed}/{model_id}".encode()).digest() for model_id in model_ids]
    chosen: list[np.intp] = []
    for category in np.unique(categories):
        order = sorted(np.flatnonzero(np.asarray(categories) == category), key=rank.__getitem__)
        chosen += order[: max(1, round(pose_fraction * len(order)))]
    return np.sort(chosen)


def batch_dataset(
    shapes: Shapes,
    labeled: np.ndarray,
    labeled_views: int,
    batch_size: int,
    seed: int,
    labeled_batch_size: int | None = None,
    hulls: np.ndarray | None = None,
    warp_strength: float | np.ndarray = 0.25,
    mirror_views: bool | np.ndarray = False,
    start: int = 0,
    own: int | None = None,
) -> tf.data.Dataset:
    """Create an endless dataset of training batches.

    Shapes are drawn evenly over their categories, however many each has, and evenly in a category.

    Args:
      shapes: the training shapes.
      labeled: indices of the labeled shapes, int [labeled].
      labeled_views: number of views of a labeled shape that are used, counted from the first.
      batch_size: number U of unlabeled masks, and of hulls, in a batch.
      seed: seed of everything that is drawn.
      labeled_batch_size: number B of pairs of views in a batch; None or 0 for `batch_size`.
      hulls: visual hulls of the labeled shapes, from `hulls.labeled_hulls`, or None.
      warp_strength: how far the hulls are to be warped, for all or float [labeled].
      mirror_views: replace half of the pairs, of the unlabeled masks and of the hulls by those of
        the mirrored shape, with columns reversed and azimuths negated; of all shapes or of some,
        bool [shapes].
      start: training step of the first batch.
      own: how many shapes, from the first, have masks that are drawn as unlabeled ones; None for
        all.

    Returns:
      A dataset of dicts. `view_a` and `view_b` are masks, float32 [B, S, S, 1], of two different
      views of the same shapes. `viewpoint_a` and `viewpoint_b` are their viewpoints, float32
      [B, 2], in degrees. `unlabeled` are masks, float32 [U, S, S, 1], drawn from all views of
      the own shapes. Only if `hulls` are given, `hull` is float32 [U, N, N, N] in [0, 1], and
      `warp_strength` float32 [U].
    """
    pairs = labeled_batch_size or batch_size
    num_views = shapes.masks.shape[1]
    pair_views = min(labeled_views, num_views)
    if isinstance(shapes.masks, np.memmap):
        packed_size = shapes.masks.shape[2]

        def read(index):
            packed = tf.numpy_function(
                lambda i: shapes.masks[i[:, 0], i[:, 1]], [index], tf.uint8, stateful=False
            )
            return tf.ensure_shape(packed, [None, packed_size])
    else:
        masks = tf.constant(shapes.masks)

        def read(index):
            return tf.gather_nd(masks, index)

    viewpoints = tf.constant(shapes.viewpoints)
    may_mirror = tf.constant(np.broadcast_to(mirror_views, len(shapes)))
    own_groups = _groups(shapes.categories[:own])
    labeled_groups = _groups(shapes.categories[labeled])
    labeled = tf.constant(labeled, tf.int32)
    if hulls is not None:
        # An array would be copied into the graph, which holds 2 GB at most.
        hulls = tf.constant(hulls)
        strengths = tf.constant(np.broadcast_to(np.float32(warp_strength), len(labeled)))
    size = shapes.image_size
    places = tf.constant([7, 6, 5, 4, 3, 2, 1, 0], tf.uint8)

    def unpack(packed, *shape):
        bits = tf.bitwise.right_shift(packed[..., None], places) & 1
        bits = tf.reshape(bits, [packed.shape[0], -1])[:, : math.prod(shape)]
        return tf.reshape(bits, [packed.shape[0], *shape])

    def read_masks(index, count):
        packed = tf.ensure_shape(read(index), [count, None])
        return tf.cast(unpack(packed, size, size, 1), tf.float32)

    def draw(step):
        def uniform(purpose, count, high):
            return tf.random.stateless_uniform(
                [count], stateless_seed(seed, purpose, step), 0, high, tf.int32
            )

        def mirrored(purpose, index):
            return tf.gather(may_mirror, index) & (uniform(purpose, index.shape[0], 2) > 0)

        def member(purpose, count, groups):
            order, starts, sizes = groups
            if sizes.shape[0] == 1:
                return tf.gather(order, uniform(purpose, count, order.shape[0]))
            share = tf.random.stateless_uniform(
                [2, count], stateless_seed(seed, purpose, step), dtype=tf.float64
            )
            group = tf.cast(share[0] * sizes.shape[0], tf.int32)
            place = tf.cast(share[1] * tf.cast(tf.gather(sizes, group), tf.float64), tf.int32)
            return tf.gather(order, tf.gather(starts, group) + place)

        shape = tf.gather(labeled, member("labeled_shape", pairs, labeled_groups))
        view_a = uniform("view_a", pairs, pair_views)
        view_b = (view_a + 1 + uniform("view_b", pairs, pair_views - 1)) % pair_views
        first, second = tf.stack([shape, view_a], 1), tf.stack([shape, view_b], 1)
        alone = tf.stack(
            [
                member("unlabeled_shape", batch_size, own_groups),
                uniform("unlabeled_view", batch_size, num_views),
            ],
            axis=1,
        )
        pair_mirrored = mirrored("mirrored_pair", shape)
        batch = {
            "unlabeled": _mirror(
                read_masks(alone, batch_size), mirrored("mirrored_unlabeled", alone[:, 0]), axis=2
            )
        }
        if hulls is not None:
            chosen = member("hull", batch_size, labeled_groups)
            hull = tf.cast(tf.gather(hulls, chosen), tf.float32) / 255
            turned = mirrored("mirrored_hull", tf.gather(labeled, chosen))
            batch["hull"] = _mirror(hull, turned, axis=3)
            batch["warp_strength"] = tf.gather(strengths, chosen)
        for name, index in (("a", first), ("b", second)):
            mask, viewpoint = read_masks(index, pairs), tf.gather_nd(viewpoints, index)
            batch[f"view_{name}"] = _mirror(mask, pair_mirrored, axis=2)
            batch[f"viewpoint_{name}"] = tf.where(
                pair_mirrored[:, None], geometry.mirror_viewpoint(viewpoint), viewpoint
            )
        return batch

    steps = tf.data.Dataset.counter(start=np.int64(start))
    return steps.map(draw).prefetch(4)


def _groups(categories: np.ndarray) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return indices ordered by their category, and where each category starts and its size."""
    order = np.argsort(categories, kind="stable")
    _, starts, sizes = np.unique(categories[order], return_index=True, return_counts=True)
    return tuple(tf.constant(each, tf.int32) for each in (order, starts, sizes))


def _mirror(values: tf.Tensor, chosen: tf.Tensor, axis: int) -> tf.Tensor:
    """Reverse an axis of the chosen examples.

    Args:
      values: [B, ...], 4-D.
      chosen: bool [B].
      axis: 2, the columns, for masks; 3, z, for voxels.
    """
    return tf.where(chosen[:, None, None, None], tf.reverse(values, axis=[axis]), values)
