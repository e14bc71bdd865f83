"""The losses of the paper and the occupancy loss, as functions of tensors that return scalars.

S is the side of a mask and N that of a grid. The training step applies the weights.

Equations are those of Yang, Cui, Belongie and Hariharan, "Learning Single-View 3D Reconstruction
with Limited Pose Supervision" (https://doi.org/10.1007/978-3-030-01267-0_6).
"""

import keras
import tensorflow as tf

from ptn_semi.models import replicas

_MIN_PIXEL = 1e-3  # probability, so that a single wrong pixel does not outweigh all others
_MIN_VOXEL = 1e-6


def reconstruction_loss(
    predicted_masks: tf.Tensor, masks: tf.Tensor, mask_loss: str = "differences"
) -> tf.Tensor:
    """Compute one of the two terms of equation 1.

    Args:
      predicted_masks: [B, S, S, 1] in [0, 1].
      masks: [B, S, S, 1] in [0, 1].
      mask_loss: "differences" for the mean absolute plus the mean squared difference, as in the
        paper; "cross_entropy" for half of the mean binary cross-entropy, so that both terms
        together are one mean.
    """
    if mask_loss == "cross_entropy":
        return 0.5 * tf.reduce_mean(cross_entropy(predicted_masks, masks, _MIN_PIXEL))
    difference = predicted_masks - masks
    return tf.reduce_mean(tf.abs(difference) + tf.square(difference))


def latent_invariance_loss(latent_a: tf.Tensor, latent_b: tf.Tensor) -> tf.Tensor:
    """Compute equation 2: the mean squared difference of two views' latents [B, latent_dim]."""
    return tf.reduce_mean(tf.square(latent_a - latent_b))


def voxel_invariance_loss(voxels_a: tf.Tensor, voxels_b: tf.Tensor) -> tf.Tensor:
    """Compute equation 3: the mean absolute difference of two views' voxels [B, N, N, N]."""
    return tf.reduce_mean(tf.abs(voxels_a - voxels_b))


def occupancy_loss(voxels: tf.Tensor, occupied: tf.Tensor) -> tf.Tensor:
    """Compute the mean binary cross-entropy of voxels [B, N, N, N] whose true shape is known.

    `occupied` is in [0, 1]: corrected hulls and averaged voxels are fractions. The paper has no
    such loss.
    """
    return tf.reduce_mean(cross_entropy(voxels, occupied, _MIN_VOXEL))


def cross_entropy(probabilities: tf.Tensor, targets: tf.Tensor, smallest: float) -> tf.Tensor:
    """Compute the binary cross-entropy of every element.

    Args:
      probabilities: any shape, in [0, 1].
      targets: a shape that broadcasts with it, in [0, 1].
      smallest: probabilities are clipped to [smallest, 1 − smallest].

    Returns:
      The cross-entropies, of the broadcast shape.
    """
    p = tf.clip_by_value(probabilities, smallest, 1 - smallest)
    return -(targets * tf.math.log(p) + (1 - targets) * tf.math.log(1 - p))


def _non_saturating(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    real = tf.reduce_mean(tf.nn.softplus(-real_logits))
    fake = tf.reduce_mean(tf.nn.softplus(fake_logits))
    return (real + fake) / 2, tf.reduce_mean(tf.nn.softplus(-fake_logits))


def _least_squares(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    real = tf.reduce_mean(tf.square(real_logits - 1))
    fake = tf.reduce_mean(tf.square(fake_logits))
    return (real + fake) / 2, tf.reduce_mean(tf.square(fake_logits - 1))


def _hinge(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    real = tf.reduce_mean(tf.nn.relu(1 - real_logits))
    fake = tf.reduce_mean(tf.nn.relu(1 + fake_logits))
    return (real + fake) / 2, -tf.reduce_mean(fake_logits)


GAN_LOSSES = {
    "non_saturating": _non_saturating,  # Goodfellow et al. 2014; used in the paper
    "least_squares": _least_squares,  # LSGAN, Mao et al. 2017
    "hinge": _hinge,  # Lim and Ye 2017
}


def gan_losses(
    name: str, real_logits: tf.Tensor, fake_logits: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute the GAN losses of D and G.

    Args:
      name: a key of `GAN_LOSSES`.
      real_logits: [B, 1], D's logits of real masks.
      fake_logits: [B, 1], D's logits of projected masks.

    Returns:
      The scalars (discriminator_loss, generator_loss).
    """
    return GAN_LOSSES[name](real_logits, fake_logits)


def discriminator_accuracy(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Compute the share of masks that D's logits [B, 1] classify correctly.

    It is reported, not minimised, and ½ where D cannot tell fake masks from real ones.
    """
    right = tf.concat([real_logits > 0, fake_logits < 0], axis=0)
    return tf.reduce_mean(tf.cast(right, tf.float32))


def _gradient_square_norm(discriminator: keras.Model, masks: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(masks)
        logits = discriminator(masks, training=True)
    gradient = tape.gradient(logits, masks)
    return tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])


def _dragan(discriminator: keras.Model, masks: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    shape = [replicas.global_count(tf.shape(masks)[0]), *masks.shape[1:]]
    noise = replicas.local_rows(tf.random.stateless_normal(shape, seed, stddev=10 / 255))
    squares = _gradient_square_norm(discriminator, masks + noise)
    # The epsilon is inside the root because the root's slope is infinite at 0.
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1))


def _r1(discriminator: keras.Model, masks: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    del seed
    return tf.reduce_mean(_gradient_square_norm(discriminator, masks)) / 2


GRADIENT_PENALTIES = {
    "dragan": _dragan,  # Kodali et al. 2017, with the authors' noise; used in the paper
    "r1": _r1,  # Mescheder et al. 2018
}


def gradient_penalty(
    name: str, discriminator: keras.Model, masks: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Compute the gradient penalty of D at real masks.

    Args:
      name: a key of `GRADIENT_PENALTIES`.
      discriminator: D.
      masks: [B, S, S, 1], real masks.
      seed: stateless seed [2] of DRAGAN's noise.
    """
    return GRADIENT_PENALTIES[name](discriminator, masks, seed)
