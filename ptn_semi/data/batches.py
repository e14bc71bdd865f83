"""Training batches, drawn statelessly: batch t depends on (seed, t) alone, so a run can resume."""

import hashlib
import math

import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.utils.seeds import stateless_seed


def labeled_subset(model_ids, pose_fraction, seed):
    """Indices of the shapes whose viewpoints are used, int [labeled].

    The shapes are ranked by a hash of (seed, model id): the subset of a smaller share is among that
    of a larger one, and adding shapes reshuffles none. At least one shape is labeled.
    """
    rank = [hashlib.sha256(f"{seed}/{model_id}".encode()).digest() for model_id in model_ids]
    order = sorted(range(len(model_ids)), key=rank.__getitem__)
    return np.sort(order[: max(1, round(pose_fraction * len(model_ids)))])


def batch_dataset(
    shapes,
    labeled,
    labeled_views,
    batch_size,
    seed,
    labeled_batch_size=None,
    hulls=None,
    mirror_views=False,
    start=0,
):
    """An endless `tf.data.Dataset` of training batches, from step `start` on.

    Args:
      shapes: the training `splits.Shapes`.
      labeled: indices of the labeled shapes.
      labeled_views: how many views of a labeled shape are used, from the first.
      batch_size: unlabeled masks, and hulls, in a batch.
      seed: of what is drawn.
      labeled_batch_size: pairs of views in a batch; None for as many.
      hulls: of the labeled shapes, packed as `hulls.packed_hulls` has them; None for none.
      mirror_views: turn half of the pairs, of the unlabeled masks and of the hulls into those of
        the mirrored shape: columns reversed, azimuths negated. Right for any shape, symmetric or
        not.
      start: the first batch's step.

    Yields:
      dicts of view_a, view_b, unlabeled (masks float32 [B, S, S, 1]), viewpoint_a, viewpoint_b
      (float32 [B, 2], degrees) and, if there are hulls, hull (bool [B, N, N, N]). The two views of
      a pair always differ; unlabeled masks are drawn from all views of all shapes.
    """
    pairs = labeled_batch_size or batch_size
    num_shapes, num_views = shapes.masks.shape[:2]
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
        read = lambda index: tf.gather_nd(masks, index)
    viewpoints = tf.constant(shapes.viewpoints)
    labeled = tf.constant(labeled, tf.int32)
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

        def mirrored(purpose, count):
            return uniform(purpose, count, 2 if mirror_views else 1) > 0

        shape = tf.gather(labeled, uniform("labeled_shape", pairs, len(labeled)))
        view_a = uniform("view_a", pairs, pair_views)
        view_b = (view_a + 1 + uniform("view_b", pairs, pair_views - 1)) % pair_views
        first, second = tf.stack([shape, view_a], 1), tf.stack([shape, view_b], 1)
        alone = tf.stack(
            [
                uniform("unlabeled_shape", batch_size, num_shapes),
                uniform("unlabeled_view", batch_size, num_views),
            ],
            axis=1,
        )
        pair_mirrored = mirrored("mirrored_pair", pairs)
        batch = {
            "unlabeled": _mirror(
                read_masks(alone, batch_size), mirrored("mirrored_unlabeled", batch_size), axis=2
            )
        }
        if hulls is not None:
            chosen = tf.gather(hulls, uniform("hull", batch_size, len(hulls)))
            hull = unpack(chosen, *[shapes.voxel_size] * 3) > 0
            batch["hull"] = _mirror(hull, mirrored("mirrored_hull", batch_size), axis=3)
        for name, index in (("a", first), ("b", second)):
            mask, viewpoint = read_masks(index, pairs), tf.gather_nd(viewpoints, index)
            batch[f"view_{name}"] = _mirror(mask, pair_mirrored, axis=2)
            batch[f"viewpoint_{name}"] = tf.where(
                pair_mirrored[:, None], geometry.mirror_viewpoint(viewpoint), viewpoint
            )
        return batch

    steps = tf.data.Dataset.counter(start=np.int64(start))
    return steps.map(draw).prefetch(4)


def _mirror(values, chosen, axis):
    """Reverses an axis of the chosen [B] of 4-D values [B, ...]: columns of masks, z of voxels."""
    return tf.where(chosen[:, None, None, None], tf.reverse(values, axis=[axis]), values)
