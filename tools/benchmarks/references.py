"""Plain implementations that `tools/benchmark.py` compares with; a test uses the first one too.

Each does the same job as the package's own code, in the usual way.
"""

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models import losses
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection import geometry, rays
from ptn_semi.projection.camera import Camera


def project_with_gathers(
    voxels: tf.Tensor, viewpoints: tf.Tensor, image_size: int = 32, camera: Camera | None = None
) -> tf.Tensor:
    """Project voxels by absorption, with trilinear samples from eight gathers.

    This is how Perspective Transformer Nets sample: a matrix product turns all points, indices are
    clamped, and `tf.gather` reads the flattened batch. Everything outside the grid is empty. The
    planes, the pooling, the arguments and the result are those of `Projector`.
    """
    size, batch = voxels.shape[1], tf.shape(voxels)[0]
    spacing = rays.pixel_spacing(size, image_size, camera or Camera())[:, None, None]
    across, depths = spacing * rays.centred(image_size), rays.depths(size)[:, None, None]
    right_up_back = np.broadcast_arrays(across, -np.swapaxes(across, 1, 2), depths)
    crossed = np.reshape(right_up_back, [3, -1]).astype(np.float32)  # by rays, in the K planes
    turned = tf.matmul(geometry.rotation(viewpoints), crossed, transpose_a=True)  # [B, 3, K·S·S]
    points = [tf.reshape(turned[:, i] + (size - 1) / 2, [-1]) for i in range(3)]
    base = tf.repeat(tf.range(batch) * size**3, tf.size(points[0]) // batch)
    flat = tf.reshape(voxels, [-1])
    lows = [tf.floor(p) for p in points]
    total = 0.0
    for corner in np.ndindex(2, 2, 2):
        weight, index = 1.0, 0
        for point, low, c in zip(points, lows, corner, strict=True):
            place = low + c
            inside = tf.cast((place >= 0) & (place < size), tf.float32)
            weight *= inside * (1 - tf.abs(point - place))
            index = index * size + tf.cast(tf.clip_by_value(place, 0, size - 1), tf.int32)
        total += weight * tf.gather(flat, base + index)
    samples = tf.reshape(total, [batch, -1, image_size, image_size])
    return -tf.math.expm1(-tf.reduce_sum(samples, axis=1))[..., None]


def plain_layers(generator: keras.Model) -> keras.Model:
    """Return G with new weights, and with Keras' transposed convolution as its last layer."""

    def plain(layer):
        is_ours = isinstance(layer, UpsamplingToOneChannel)
        kind = keras.layers.Conv3DTranspose if is_ours else type(layer)
        return kind.from_config(layer.get_config())

    return keras.models.clone_model(generator, clone_function=plain)


def unfused_step(
    model: SemiSupervisedReconstructor, batch: dict[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Do a pair of iterations as the authors' code does, with `project_with_gathers`.

    The whole supervised graph runs once for E and once for G, and G runs once more for D's masks.
    The losses, networks and optimizers are those of the compiled model. Returns the loss of each
    of the four passes, by name.
    """
    project = lambda voxels, viewpoints: project_with_gathers(
        voxels, viewpoints, model.settings.image_size, model.settings.camera
    )
    weights, networks = model.loss_settings, model.networks

    def supervised(network, optimizer):
        variables = network.trainable_variables
        view_a, view_b = batch["view_a"], batch["view_b"]
        with tf.GradientTape() as tape:
            latent_a, latent_b = (
                networks.encoder(view, training=True) for view in (view_a, view_b)
            )
            voxels_a, voxels_b = (
                networks.generator(latent, training=True) for latent in (latent_a, latent_b)
            )
            mask_a = project(voxels_b, batch["viewpoint_a"])
            mask_b = project(voxels_a, batch["viewpoint_b"])
            loss = weights.reconstruction_weight * (
                losses.reconstruction_loss(mask_a, view_a)
                + losses.reconstruction_loss(mask_b, view_b)
            )
            invariance = losses.latent_invariance_loss(latent_a, latent_b)
            loss += weights.latent_invariance_weight * invariance
            invariance = losses.voxel_invariance_loss(voxels_a, voxels_b)
            loss += weights.voxel_invariance_weight * invariance
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    real = batch["unlabeled"]
    latents = tf.random.normal([tf.shape(real)[0], model.settings.architecture.latent_dim])
    seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)
    viewpoints = geometry.sample_viewpoints(tf.shape(real)[0], seed)

    def adversarial(network, optimizer):
        variables = network.trainable_variables
        with tf.GradientTape() as tape:
            fake = project(networks.generator(latents, training=True), viewpoints)
            logits = [model.discriminator(masks, training=True) for masks in (real, fake)]
            discriminator_loss, generator_loss = losses.gan_losses(weights.gan_loss, *logits)
            if network is networks.generator:
                loss = weights.adversarial_weight * generator_loss
            else:
                penalty = losses.gradient_penalty(
                    weights.gradient_penalty, model.discriminator, real, seed
                )
                loss = discriminator_loss + weights.gradient_penalty_weight * penalty
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return {
        "encoder_loss": supervised(networks.encoder, model.encoder_optimizer),
        "generator_loss": supervised(networks.generator, model.generator_optimizer),
        "discriminator_loss": adversarial(model.discriminator, model.discriminator_optimizer),
        "adversarial_loss": adversarial(networks.generator, model.generator_optimizer),
    }
