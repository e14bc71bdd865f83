"""The iterations of a training step. Each minimises its own losses and trains some networks.

Each function updates the weights of a `SemiSupervisedReconstructor` and returns its losses by name.
Only `adversarial` and the pairs of `supervised` are in the paper.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from ptn_semi.models import draws, losses, replicas, viewpoint_bins, viewpoint_search, warps
from ptn_semi.projection import resolutions

if TYPE_CHECKING:  # `reconstructor` imports this module
    from ptn_semi.models.reconstructor import SemiSupervisedReconstructor

_RENDERS = 3  # masks of each warped shape that V learns from
_LIKELY = 0.35  # voxels of warped shapes above this show in their masks
_OCCUPIED = 0.5  # voxels of generated shapes above this are occupied


def supervised(
    model: "SemiSupervisedReconstructor", batch: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Train E and G on equations 1 to 3, these and R on warped hulls, and V on known viewpoints.

    One forward and one backward pass serve both E and G. R and V then learn by themselves.

    Args:
      model: the model to train.
      batch: see `SemiSupervisedReconstructor`.

    Returns:
      Scalar losses by name.
    """
    weights = model.loss_settings
    views = tf.concat([batch["view_a"], batch["view_b"]], axis=0)
    view_viewpoints = tf.concat([batch["viewpoint_a"], batch["viewpoint_b"]], axis=0)
    masks, results = views, {}
    if weights.occupancy_weight:
        occupied, renders, seen_from = _warped(model, batch["hull"], batch["warp_strength"])
        warped_masks, warped_viewpoints = renders[:, 0], seen_from[:, 0]
        masks = tf.concat([views, warped_masks], axis=0)
    pairs = tf.shape(batch["view_a"])[0]
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=True)
        # Each slice's gradient would be padded to the whole tensor, and all of them added up.
        # A split avoids that.
        sizes = [pairs, pairs, tf.shape(masks)[0] - 2 * pairs]
        latents_a, latents_b, _ = tf.split(latents, sizes)
        voxels_a, voxels_b, warped_voxels = tf.split(voxels, sizes)
        # Equation 1 projects each view's reconstruction from the other view's viewpoint.
        crossed = tf.concat([voxels_b, voxels_a], axis=0)
        predicted = model.coarse_projector([crossed, view_viewpoints])
        # The loss is a mean over both directions, but equation 1 is their sum.
        reconstruction = 2 * losses.reconstruction_loss(
            predicted, _coarse(model, views), weights.mask_loss
        )
        latent = losses.latent_invariance_loss(latents_a, latents_b)
        voxel = losses.voxel_invariance_loss(voxels_a, voxels_b)
        total = (
            weights.reconstruction_weight * reconstruction
            + weights.latent_invariance_weight * latent
            + weights.voxel_invariance_weight * voxel
        )
        if weights.occupancy_weight:
            likely = resolutions.coarse_voxels(occupied, model.coarse_size)
            occupancy = losses.occupancy_loss(warped_voxels, likely)
            total += weights.occupancy_weight * occupancy
            results["occupancy_loss"] = occupancy
    _apply_to_encoder_and_generator(model, tape, total)
    if model.refiner is not None:
        results["refinement_loss"] = _train_refiner(
            model, warped_voxels, warped_masks, warped_viewpoints, occupied
        )
    if model.viewpoint_estimator is not None:
        if weights.occupancy_weight:
            views = tf.concat([views, _flat(renders)], axis=0)
            view_viewpoints = tf.concat([view_viewpoints, _flat(seen_from)], axis=0)
        results["viewpoint_loss"] = _train_viewpoints(model, views, view_viewpoints)
    return results | {
        "reconstruction_loss": reconstruction,
        "latent_invariance_loss": latent,
        "voxel_invariance_loss": voxel,
    }


def _apply_to_encoder_and_generator(model, tape, loss):
    encoder_variables = model.encoder.trainable_variables
    generator_variables = model.generator.trainable_variables
    gradients = tape.gradient(loss, encoder_variables + generator_variables)
    count = len(encoder_variables)
    replicas.apply_mean(model.encoder_optimizer, gradients[:count], encoder_variables)
    replicas.apply_mean(model.generator_optimizer, gradients[count:], generator_variables)


def _train_refiner(model, voxels, masks, true_viewpoints, occupied):
    """Train R on reconstructions of masks of shapes that are known.

    Every other mask has its true viewpoint, and the rest those that V estimates. R thus learns what
    a right viewpoint is worth, and not to rely on it.
    """
    estimated = _fitting_viewpoints(model, masks, voxels)
    rows = replicas.share(tf.range(replicas.total(tf.shape(masks)[0])))
    seen_from = tf.where(rows[:, None] % 2 == 0, true_viewpoints, estimated)
    variables = model.refiner.trainable_variables
    with tf.GradientTape() as tape:
        refined = model.refiner([voxels, masks, seen_from], training=True)
        loss = losses.occupancy_loss(refined, occupied)
    replicas.apply_mean(model.refiner_optimizer, tape.gradient(loss, variables), variables)
    return loss


def _warped(model, occupied, strength):
    """Warp shapes [B, N, N, N] in [0, 1] and project their likely voxels from random viewpoints.

    `strength` is one for all shapes or [B], as in `warps.random_warp`. V, where there is one, needs
    more masks than the other networks.

    Returns:
      The warped shapes, float32 [B, N, N, N]; their binary masks, as in data sets,
      [B, views, S, S, 1]; and the viewpoints [B, views, 2].
    """
    num_views = 1 if model.viewpoint_estimator is None else _RENDERS
    warped = warps.random_warp(tf.cast(occupied, tf.float32), draws.seed(model, "warp"), strength)
    seen_from = draws.viewpoints(model, tf.shape(occupied)[0], "warp_viewpoints", num_views)
    solid = tf.repeat(tf.cast(warped > _LIKELY, tf.float32), num_views, axis=0)
    masks = resolutions.render(model.render_projector, solid, _flat(seen_from), model.image_size)
    return warped, tf.reshape(masks, [-1, num_views, *masks.shape[1:]]), seen_from


def _coarse(model, masks):
    """Average masks to the resolution that G's voxels are projected to."""
    return resolutions.coarse_masks(masks, model.coarse_projector.image_size)


def _flat(values):
    """Join the first two axes."""
    return tf.reshape(values, [-1, *values.shape[2:]])


def _train_viewpoints(model, masks, true_viewpoints):
    """Train V on masks whose viewpoints are known."""
    variables = model.viewpoint_estimator.trainable_variables
    with tf.GradientTape() as tape:
        answers = model.viewpoint_estimator(masks, training=True)
        loss = viewpoint_bins.viewpoint_loss(answers, true_viewpoints, model.elevation_range)
    replicas.apply_mean(model.viewpoint_optimizer, tape.gradient(loss, variables), variables)
    return loss


def generated(model: "SemiSupervisedReconstructor", count: int | tf.Tensor) -> dict[str, tf.Tensor]:
    """Train E, and V if there is one, on masks of warped shapes that G generates from the prior.

    Args:
      model: the model to train.
      count: how many shapes to generate.

    Returns:
      Scalar losses by name.
    """
    shapes = model.average_generator(draws.latents(model, count, "generated"), training=False)
    occupied, renders, seen_from = _warped(model, shapes > _OCCUPIED, model.warp_strength)
    masks = renders[:, 0]
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=False)
        occupancy = losses.occupancy_loss(voxels, occupied)
        total = model.loss_settings.occupancy_weight * occupancy
    variables = model.encoder.trainable_variables
    replicas.apply_mean(model.encoder_optimizer, tape.gradient(total, variables), variables)
    results = {"occupancy_loss": occupancy}
    if model.viewpoint_estimator is not None:
        results["viewpoint_loss"] = _train_viewpoints(model, _flat(renders), _flat(seen_from))
    return results


def self_reconstruction(
    model: "SemiSupervisedReconstructor", masks: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Train E and G to reproduce unlabeled masks from the viewpoints that V estimates.

    Args:
      model: the model to train; it has a V.
      masks: [U, S, S, 1].

    Returns:
      Scalar losses by name.
    """
    weights = model.loss_settings
    warm = tf.cast(model.steps + 1, tf.float32) / max(1, weights.self_reconstruction_warmup)
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=True)
        with tape.stop_recording():
            seen_from = _fitting_viewpoints(model, masks, voxels)
        seen = model.coarse_projector([voxels, seen_from])
        loss = losses.reconstruction_loss(seen, _coarse(model, masks), weights.mask_loss)
        total = tf.minimum(1.0, warm) * weights.self_reconstruction_weight * loss
    _apply_to_encoder_and_generator(model, tape, total)
    return {"self_reconstruction_loss": loss}


def _fitting_viewpoints(model, masks, voxels):
    """Estimate the viewpoints [B, 2] of masks with V and with their reconstructions."""
    answers = model.viewpoint_estimator(masks, training=False)
    return viewpoint_search.fitting_viewpoints(
        answers, masks, voxels, model.coarse_projector, model.elevation_range
    )


def adversarial(model: "SemiSupervisedReconstructor", real: tf.Tensor) -> dict[str, tf.Tensor]:
    """Train G and D on the GAN losses, with the same fake masks for both.

    Args:
      model: the model to train.
      real: [U, S, S, 1], real masks.

    Returns:
      Scalar losses by name.
    """
    settings = model.loss_settings
    real = _coarse(model, real)
    count = tf.shape(real)[0]
    latents = draws.latents(model, count, "latents")
    seen_from = _flat(draws.viewpoints(model, count, "viewpoints"))
    statistics = model.generator.non_trainable_variables
    before = [tf.identity(v) for v in statistics]
    with tf.GradientTape(persistent=True) as tape:
        fake = model.coarse_projector([model.generator(latents, training=True), seen_from])
        logits = model.discriminator(tf.concat([real, fake], axis=0), training=True)
        discriminator_loss, generator_loss = losses.gan_losses(
            settings.gan_loss, *tf.split(logits, 2)
        )
        penalty = losses.gradient_penalty(
            settings.gradient_penalty, model.discriminator, real, draws.seed(model, "penalty")
        )
        discriminator_total = discriminator_loss + settings.gradient_penalty_weight * penalty
        generator_total = settings.adversarial_weight * generator_loss
    discriminator_variables = model.discriminator.trainable_variables
    generator_variables = model.generator.trainable_variables
    discriminator_gradients = tape.gradient(discriminator_total, discriminator_variables)
    generator_gradients = tape.gradient(generator_total, generator_variables)
    del tape
    replicas.apply_mean(
        model.discriminator_optimizer, discriminator_gradients, discriminator_variables
    )
    replicas.apply_mean(model.generator_optimizer, generator_gradients, generator_variables)
    if settings.supervision == "both":
        # At test time, batch norm sees reconstructions only. Its statistics must not include the
        # fakes.
        for variable, value in zip(statistics, before, strict=True):
            variable.assign(value)
    return {
        "generator_loss": generator_loss,
        "discriminator_loss": discriminator_loss,
        "discriminator_accuracy": losses.discriminator_accuracy(*tf.split(logits, 2)),
        "gradient_penalty": penalty,
    }
