"""One shape from several views of one object, whose viewpoints may be unknown."""

import tensorflow as tf

from ptn_semi.models import viewpoint_search
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import geometry, resolutions
from ptn_semi.projection.lifting import Lifting

_CARVED = 1.0  # taken from a voxel's logit by each view that sees it outside its mask
_SMALLEST = 1e-6  # probability of which a logarithm is taken


def reconstruct_views(
    model: SemiSupervisedReconstructor, masks: tf.Tensor, viewpoints: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Reconstruct objects from several views of each.

    Every view is reconstructed by itself, and the logits are averaged. The shape that they agree on
    shows from where each view was taken. R then corrects that shape by each view, the logits are
    averaged again, and each view takes away from voxels that it sees outside its mask.

    A single view is reconstructed as `SemiSupervisedReconstructor.reconstruct` does.

    Args:
      model: the trained model. Without R and V it averages, and carves if viewpoints are given.
      masks: [B, K, S, S, 1] in [0, 1], K views of each object.
      viewpoints: [B, K, 2] in degrees, of the views; None to estimate them.

    Returns:
      The voxels, float32 [B, N, N, N] in [0, 1], and the viewpoints [B, K, 2] in degrees, or None
      if they were not given and the model has no V.
    """
    voxels, seen_from = _reconstruct(model, masks, viewpoints)
    if model.mirror_answers:
        mirrored = None if viewpoints is None else geometry.mirror_viewpoint(viewpoints)
        other, _ = _reconstruct(model, tf.reverse(masks, [3]), mirrored)
        voxels = (voxels + tf.reverse(other, [3])) / 2
    return voxels, seen_from


def _reconstruct(model, masks, viewpoints):
    count, shape = masks.shape[1], masks.shape[2:]
    flat = tf.reshape(masks, [-1, *shape])
    known = None if viewpoints is None else tf.reshape(tf.cast(viewpoints, tf.float32), [-1, 2])

    def answer(voxels):
        """Correct the voxels of each view by its mask; return the mean logits and viewpoints."""
        seen_from = known
        if model.average_refiner is not None:
            if known is None:
                estimates = model.average_viewpoint_estimator(flat, training=False)
                seen_from = viewpoint_search.fitting_viewpoints(
                    estimates, flat, voxels, model.coarse_projector, model.elevation_range
                )
            voxels = model.average_refiner([voxels, flat, seen_from], training=False)
        voxels = tf.clip_by_value(voxels, _SMALLEST, 1 - _SMALLEST)
        logits = tf.math.log(voxels) - tf.math.log(1 - voxels)
        return tf.reduce_mean(tf.reshape(logits, [-1, count, *voxels.shape[1:]]), 1), seen_from

    voxels = model.average_generator(model.average_encoder(flat, training=False), training=False)
    logits, seen_from = answer(voxels)
    if count > 1 and model.average_refiner is not None:
        agreed = resolutions.coarse_voxels(tf.sigmoid(logits), model.coarse_size)
        logits, seen_from = answer(tf.repeat(agreed, count, axis=0))
    if count > 1 and seen_from is not None:
        side = resolutions.coarse_side(model.image_size, model.voxel_size)
        averaged = resolutions.coarse_masks(flat, side)
        inside = Lifting(model.voxel_size, model.camera)(averaged, seen_from)[..., 0]
        outside = tf.reshape(1 - inside, [-1, count, *inside.shape[1:]])
        logits -= _CARVED * tf.reduce_sum(outside, axis=1)
    if seen_from is not None:
        seen_from = tf.reshape(seen_from, [-1, count, 2])
    return tf.sigmoid(logits), seen_from
