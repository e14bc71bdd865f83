"""The iterations of a training step: what each minimises, and which networks it trains.

Each takes a `SemiSupervisedReconstructor`, updates its weights and returns its losses by name.
All but `adversarial` and the pairs of `supervised` go beyond the paper.
"""

import tensorflow as tf

from ptn_semi.models import losses, replicas, viewpoint_bins, warps

_NUM_HYPOTHESES = 4  # viewpoints of an unlabeled mask that are tried
_OCCUPIED = 0.5  # occupancy from which generated shapes count as solid


def supervised(model, batch):
    """Equations 1 to 3 and warped hulls; one forward and one backward pass serve E and G."""
    weights = model.loss_settings
    views = tf.concat([batch["view_a"], batch["view_b"]], axis=0)
    view_viewpoints = tf.concat([batch["viewpoint_a"], batch["viewpoint_b"]], axis=0)
    masks, mask_viewpoints, results = views, view_viewpoints, {}
    if weights.occupancy_weight:
        occupied, warped_masks, warped_viewpoints = _warped(model, batch["hull"])
        masks = tf.concat([views, warped_masks], axis=0)
        mask_viewpoints = tf.concat([view_viewpoints, warped_viewpoints], axis=0)
    pairs = tf.shape(batch["view_a"])[0]
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=True)
        # Not slices, whose gradients would each be padded to the whole and then added up.
        sizes = [pairs, pairs, tf.shape(masks)[0] - 2 * pairs]
        latents_a, latents_b, _ = tf.split(latents, sizes)
        voxels_a, voxels_b, warped_voxels = tf.split(voxels, sizes)
        # Each view's shape is looked at from the other view's viewpoint.
        crossed = tf.concat([voxels_b, voxels_a], axis=0)
        predicted = model.projector([crossed, view_viewpoints])
        # The mean over both directions; equation 1 has their sum.
        reconstruction = 2 * losses.reconstruction_loss(predicted, views)
        latent = losses.latent_invariance_loss(latents_a, latents_b)
        voxel = losses.voxel_invariance_loss(voxels_a, voxels_b)
        total = (
            weights.reconstruction_weight * reconstruction
            + weights.latent_invariance_weight * latent
            + weights.voxel_invariance_weight * voxel
        )
        if weights.occupancy_weight:
            occupancy = losses.occupancy_loss(warped_voxels, occupied)
            total += weights.occupancy_weight * occupancy
            results["occupancy_loss"] = occupancy
    _apply_to_encoder_and_generator(model, tape, total)
    if model.viewpoint_estimator is not None:
        results["viewpoint_loss"] = _train_viewpoints(model, masks, mask_viewpoints)
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


def _warped(model, occupied):
    """Shapes [B, N, N, N] warped, their masks as data sets have them, and the viewpoints."""
    warped = warps.random_warp(tf.cast(occupied, tf.float32), model.stateless_seed("warp"))
    seen_from = model.sample_viewpoints(tf.shape(occupied)[0], "warp_viewpoints")
    return warped, tf.cast(model.projector([warped, seen_from]) > 0, tf.float32), seen_from


def _train_viewpoints(model, masks, true_viewpoints):
    """V learns the viewpoints of masks where they are known."""
    variables = model.viewpoint_estimator.trainable_variables
    with tf.GradientTape() as tape:
        answers = model.viewpoint_estimator(masks, training=True)
        loss = viewpoint_bins.viewpoint_loss(answers, true_viewpoints, model.elevation_range)
    replicas.apply_mean(model.viewpoint_optimizer, tape.gradient(loss, variables), variables)
    return loss


def generated(model, count):
    """Without labels: E (and V) learn to bring back what G makes of the prior."""
    shapes = model.average_generator(model.sample_latents(count, "generated"), training=False)
    occupied, masks, seen_from = _warped(model, shapes > _OCCUPIED)
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=False)
        occupancy = losses.occupancy_loss(voxels, occupied)
        total = model.loss_settings.occupancy_weight * occupancy
    variables = model.encoder.trainable_variables
    replicas.apply_mean(model.encoder_optimizer, tape.gradient(total, variables), variables)
    results = {"occupancy_loss": occupancy}
    if model.viewpoint_estimator is not None:
        results["viewpoint_loss"] = _train_viewpoints(model, masks, seen_from)
    return results


def self_reconstruction(model, masks):
    """Unlabeled masks against their reconstructions, seen from the viewpoints that V estimates."""
    weights = model.loss_settings
    warm = tf.cast(model.steps + 1, tf.float32) / max(1, weights.self_reconstruction_warmup)
    with tf.GradientTape() as tape:
        latents = model.encoder(masks, training=not model.freeze_encoder)
        voxels = model.generator(latents, training=True)
        with tape.stop_recording():
            seen_from = _fitting_viewpoints(model, masks, voxels)
        loss = losses.reconstruction_loss(model.projector([voxels, seen_from]), masks)
        total = tf.minimum(1.0, warm) * weights.self_reconstruction_weight * loss
    _apply_to_encoder_and_generator(model, tape, total)
    return {"self_reconstruction_loss": loss}


def _fitting_viewpoints(model, masks, voxels):
    """Of V's likeliest viewpoints of each mask, the one that the voxels fit best: [B, 2]."""
    answers = model.viewpoint_estimator(masks, training=False)
    guesses = viewpoint_bins.hypotheses(answers, _NUM_HYPOTHESES, model.elevation_range)
    repeated = tf.repeat(voxels, _NUM_HYPOTHESES, axis=0)
    seen = model.projector([repeated, tf.reshape(guesses, [-1, 2])])
    seen = tf.reshape(seen, [-1, _NUM_HYPOTHESES, *masks.shape[1:]])
    error = tf.reduce_sum(tf.abs(seen - masks[:, None]), axis=[2, 3, 4])
    return tf.gather(guesses, tf.argmin(error, axis=1), batch_dims=1)


def adversarial(model, real):
    """The GAN losses; the same fakes serve G and D."""
    settings = model.loss_settings
    count = tf.shape(real)[0]
    latents = model.sample_latents(count, "latents")
    seen_from = model.sample_viewpoints(count, "viewpoints")
    statistics = model.generator.non_trainable_variables
    before = [tf.identity(v) for v in statistics]
    with tf.GradientTape(persistent=True) as tape:
        fake = model.projector([model.generator(latents, training=True), seen_from])
        logits = model.discriminator(tf.concat([real, fake], axis=0), training=True)
        discriminator_loss, generator_loss = losses.gan_losses(
            settings.gan_loss, *tf.split(logits, 2)
        )
        penalty = losses.gradient_penalty(
            settings.gradient_penalty, model.discriminator, real, model.stateless_seed("penalty")
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
        # Batch norm at test time is to know reconstructions only: drop what fakes added.
        for variable, value in zip(statistics, before, strict=True):
            variable.assign(value)
    return {
        "generator_loss": generator_loss,
        "discriminator_loss": discriminator_loss,
        "discriminator_accuracy": losses.discriminator_accuracy(*tf.split(logits, 2)),
        "gradient_penalty": penalty,
    }
