"""Plain implementations that `tools/benchmark.py` measures against and tests compare with.

Each does the same job as the package's own code, in the way that is usual.
"""

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models import losses
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection import geometry, rays
from ptn_semi.projection.camera import Camera

if TYPE_CHECKING:  # it may not be installed
    import torch


def _ray_points(voxel_size, image_size, camera):
    """Return where rays cross the planes: float32 [3, K·S·S], right, up and back in voxels."""
    spacing = rays.pixel_spacing(voxel_size, image_size, camera)[:, None, None]
    across = spacing * rays.centred(image_size)
    points = np.broadcast_arrays(
        across, -np.swapaxes(across, 1, 2), rays.depths(voxel_size)[:, None, None]
    )
    return np.reshape(points, [3, -1]).astype(np.float32)


def project_with_gathers(
    voxels: tf.Tensor, viewpoints: tf.Tensor, image_size: int = 32, camera: Camera | None = None
) -> tf.Tensor:
    """Project voxels by absorption, with trilinear samples from eight gathers.

    This samples as Perspective Transformer Nets do: a matrix product turns all points, indices are
    clamped, and `tf.gather` reads the flattened batch. Outside the grid all is empty. The planes
    and the pooling are those of our projector.

    Args:
      voxels: float32 [B, N, N, N].
      viewpoints: float32 [B, 2], elevation and azimuth in degrees.
      image_size: S.
      camera: the camera; the default one if None.

    Returns:
      Masks, float32 [B, S, S, 1].
    """
    size, batch = voxels.shape[1], tf.shape(voxels)[0]
    points = _ray_points(size, image_size, camera or Camera())
    points = tf.matmul(geometry.rotation(viewpoints), points, transpose_a=True)  # [B, 3, K·S·S]
    points = [tf.reshape(points[:, i] + (size - 1) / 2, [-1]) for i in range(3)]
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


def project_with_torch(
    voxels: "torch.Tensor", viewpoints: "torch.Tensor", image_size: int = 32
) -> "torch.Tensor":
    """Project voxels to the masks of `project_with_gathers` with torch's `grid_sample`."""
    import torch

    size, batch = voxels.shape[1], len(voxels)
    points = torch.tensor(_ray_points(size, image_size, Camera())) * (2 / size)
    elevation, azimuth = torch.deg2rad(viewpoints).T
    se, ce, sa, ca = elevation.sin(), elevation.cos(), azimuth.sin(), azimuth.cos()
    rows = (-sa, 0 * sa, -ca, -se * ca, ce, se * sa, ce * ca, se, -ce * sa)
    axes = torch.stack(rows, dim=-1).reshape(batch, 3, 3)
    turned = torch.einsum("bij,ip->bpj", axes, points).flip(-1)  # grid_sample wants z, y, x
    grid = turned.reshape(batch, -1, image_size, image_size, 3)
    samples = torch.nn.functional.grid_sample(voxels[:, None], grid, align_corners=False)
    return -torch.expm1(-samples[:, 0].sum(dim=1))[..., None]


def plain_layers(generator: keras.Model) -> keras.Model:
    """Return G with Keras' own transposed convolution as its last layer and with new weights."""

    def plain(layer):
        if not isinstance(layer, UpsamplingToOneChannel):
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.Conv3DTranspose.from_config(layer.get_config())

    return keras.models.clone_model(generator, clone_function=plain)


def unfused_step(
    model: SemiSupervisedReconstructor, batch: dict[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Do a pair of iterations as the authors' code does, with the projector above.

    The whole supervised graph runs once for E and once for G, and G runs once more for the masks
    that D gets. The losses, networks and optimizers are the model's.

    Args:
      model: a compiled model.
      batch: the two views, their viewpoints and the unlabeled masks.

    Returns:
      The losses by name.
    """
    project = lambda voxels, viewpoints: project_with_gathers(
        voxels, viewpoints, model.image_size, model.camera
    )
    weights, results = model.loss_settings, {}

    def supervised(variables, optimizer):
        with tf.GradientTape() as tape:
            latent_a = model.encoder(batch["view_a"], training=True)
            latent_b = model.encoder(batch["view_b"], training=True)
            voxels_a = model.generator(latent_a, training=True)
            voxels_b = model.generator(latent_b, training=True)
            reconstruction = losses.reconstruction_loss(
                project(voxels_b, batch["viewpoint_a"]), batch["view_a"]
            ) + losses.reconstruction_loss(project(voxels_a, batch["viewpoint_b"]), batch["view_b"])
            total = (
                weights.reconstruction_weight * reconstruction
                + weights.latent_invariance_weight
                * losses.latent_invariance_loss(latent_a, latent_b)
                + weights.voxel_invariance_weight * losses.voxel_invariance_loss(voxels_a, voxels_b)
            )
        optimizer.apply(tape.gradient(total, variables), variables)
        return reconstruction

    results["reconstruction_loss"] = supervised(
        model.encoder.trainable_variables, model.encoder_optimizer
    )
    supervised(model.generator.trainable_variables, model.generator_optimizer)

    real = batch["unlabeled"]
    count = tf.shape(real)[0]
    latents = tf.random.normal([count, model.architecture.latent_dim])
    seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)
    viewpoints = geometry.sample_viewpoints(count, seed)

    def adversarial(variables, optimizer, of_discriminator):
        with tf.GradientTape() as tape:
            fake = project(model.generator(latents, training=True), viewpoints)
            logits = [model.discriminator(masks, training=True) for masks in (real, fake)]
            discriminator_loss, generator_loss = losses.gan_losses(weights.gan_loss, *logits)
            total = weights.adversarial_weight * generator_loss
            if of_discriminator:
                total = discriminator_loss + weights.gradient_penalty_weight * (
                    losses.gradient_penalty(
                        weights.gradient_penalty, model.discriminator, real, seed
                    )
                )
        optimizer.apply(tape.gradient(total, variables), variables)
        return total

    results["discriminator_loss"] = adversarial(
        model.discriminator.trainable_variables, model.discriminator_optimizer, True
    )
    results["generator_loss"] = adversarial(
        model.generator.trainable_variables, model.generator_optimizer, False
    )
    return results
