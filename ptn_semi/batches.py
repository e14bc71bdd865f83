"""Training batches, drawn statelessly: batch t depends on (seed, t) alone, so a run can resume."""

import hashlib

import numpy as np
import tensorflow as tf

from ptn_semi import geometry
from ptn_semi.seeds import stateless_seed


def labeled_subset(model_ids, pose_fraction, seed):
    """Indices of the shapes whose viewpoints are used, int [labeled].

    The shapes are ranked by a hash of (seed, model id): the subset of a smaller share is among that
    of a larger one, and adding shapes reshuffles none. At least one shape is labeled.
    """
    rank = [hashlib.sha256(f"{seed}/{model_id}".encode()).digest() for model_id in model_ids]
    order = sorted(range(len(model_ids)), key=rank.__getitem__)
    return np.sort(order[: max(1, round(pose_fraction * len(model_ids)))])


def batch_dataset(shapes, labeled, labeled_views, batch_size, seed, mirror_views=False, start=0):
    """An endless `tf.data.Dataset` of training batches, from step `start` on.

    Args:
      shapes: the training `data_sets.Shapes`.
      labeled: indices of the labeled shapes.
      labeled_views: how many views of a labeled shape are used, from the first.
      batch_size: pairs of views, and unlabeled masks, in a batch.
      seed: of what is drawn.
      mirror_views: turn half of the pairs, and of the unlabeled masks, into those of the mirrored
        shape: columns reversed, azimuths negated. Right for any shape, symmetric or not.
      start: the first batch's step.

    Yields:
      dicts of view_a, view_b, unlabeled (masks float32 [B, S, S, 1]) and viewpoint_a, viewpoint_b
      (float32 [B, 2], degrees). The two views of a pair always differ; unlabeled masks are drawn
      from all views of all shapes.
    """
    num_shapes, num_views = shapes.masks.shape[:2]
    pair_views = min(labeled_views, num_views)
    if isinstance(shapes.masks, np.memmap):
        packed_size = shapes.masks.shape[2]

        def read(index):
            packed = tf.numpy_function(
                lambda i: shapes.masks[i[:, 0], i[:, 1]], [index], tf.uint8, stateful=False
            )
            return tf.ensure_shape(packed, [batch_size, packed_size])
    else:
        masks = tf.constant(shapes.masks)
        read = lambda index: tf.gather_nd(masks, index)
    viewpoints = tf.constant(shapes.viewpoints)
    labeled = tf.constant(labeled, tf.int32)
    size = shapes.image_size
    places = tf.constant([7, 6, 5, 4, 3, 2, 1, 0], tf.uint8)

    def unpack(packed):
        bits = tf.bitwise.right_shift(packed[..., None], places) & 1
        bits = tf.reshape(bits, [batch_size, -1])[:, : size * size]
        return tf.reshape(tf.cast(bits, tf.float32), [batch_size, size, size, 1])

    def draw(step):
        def uniform(purpose, high):
            return tf.random.stateless_uniform(
                [batch_size], stateless_seed(seed, purpose, step), 0, high, tf.int32
            )

        def mirrored(purpose):
            return uniform(purpose, 2 if mirror_views else 1) > 0

        shape = tf.gather(labeled, uniform("labeled_shape", len(labeled)))
        view_a = uniform("view_a", pair_views)
        view_b = (view_a + 1 + uniform("view_b", pair_views - 1)) % pair_views
        first, second = tf.stack([shape, view_a], 1), tf.stack([shape, view_b], 1)
        alone = tf.stack(
            [uniform("unlabeled_shape", num_shapes), uniform("unlabeled_view", num_views)], 1
        )
        pair_mirrored = mirrored("mirrored_pair")
        batch = {"unlabeled": _mirror_masks(unpack(read(alone)), mirrored("mirrored_unlabeled"))}
        for name, index in (("a", first), ("b", second)):
            mask, viewpoint = unpack(read(index)), tf.gather_nd(viewpoints, index)
            batch[f"view_{name}"] = _mirror_masks(mask, pair_mirrored)
            batch[f"viewpoint_{name}"] = tf.where(
                pair_mirrored[:, None], geometry.mirror_viewpoint(viewpoint), viewpoint
            )
        return batch

    steps = tf.data.Dataset.counter(start=np.int64(start))
    return steps.map(draw).prefetch(4)


def _mirror_masks(masks, chosen):
    """Reverses the columns of the chosen [B] masks [B, S, S, 1]."""
    return tf.where(chosen[:, None, None, None], tf.reverse(masks, axis=[2]), masks)
