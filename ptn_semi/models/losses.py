"""The losses of the paper. All take tensors and return scalars; weights are applied elsewhere.

Equations are those of Yang, Cui, Belongie and Hariharan, "Learning Single-View 3D Reconstruction
with Limited Pose Supervision" (https://doi.org/10.1007/978-3-030-01267-0_6).
"""

import tensorflow as tf

from ptn_semi.models import replicas


def reconstruction_loss(predicted_masks, masks):
    """Equation 1, one of its two terms: mean L1 plus mean L2 of [B, S, S, 1] masks."""
    difference = predicted_masks - masks
    return tf.reduce_mean(tf.abs(difference) + tf.square(difference))


def latent_invariance_loss(latent_a, latent_b):
    """Equation 2: mean squared difference of two views' [B, latent_dim] latents."""
    return tf.reduce_mean(tf.square(latent_a - latent_b))


def voxel_invariance_loss(voxels_a, voxels_b):
    """Equation 3: mean absolute difference of two views' [B, N, N, N] voxels."""
    return tf.reduce_mean(tf.abs(voxels_a - voxels_b))


def occupancy_loss(voxels, occupied):
    """Mean binary cross-entropy of [B, N, N, N] voxels, where the true shape is known."""
    voxels = tf.clip_by_value(voxels, 1e-6, 1 - 1e-6)
    return -tf.reduce_mean(
        occupied * tf.math.log(voxels) + (1 - occupied) * tf.math.log(1 - voxels)
    )


def _non_saturating(real_logits, fake_logits):
    real = tf.reduce_mean(tf.nn.softplus(-real_logits))
    fake = tf.reduce_mean(tf.nn.softplus(fake_logits))
    return (real + fake) / 2, tf.reduce_mean(tf.nn.softplus(-fake_logits))


def _least_squares(real_logits, fake_logits):
    real = tf.reduce_mean(tf.square(real_logits - 1))
    fake = tf.reduce_mean(tf.square(fake_logits))
    return (real + fake) / 2, tf.reduce_mean(tf.square(fake_logits - 1))


def _hinge(real_logits, fake_logits):
    real = tf.reduce_mean(tf.nn.relu(1 - real_logits))
    fake = tf.reduce_mean(tf.nn.relu(1 + fake_logits))
    return (real + fake) / 2, -tf.reduce_mean(fake_logits)


GAN_LOSSES = {
    "non_saturating": _non_saturating,  # Goodfellow et al. 2014, the paper's
    "least_squares": _least_squares,  # LSGAN, Mao et al. 2017
    "hinge": _hinge,  # Lim and Ye 2017
}


def gan_losses(name, real_logits, fake_logits):
    """(discriminator_loss, generator_loss) of `GAN_LOSSES[name]`, from [B, 1] logits."""
    return GAN_LOSSES[name](real_logits, fake_logits)


def discriminator_accuracy(real_logits, fake_logits):
    """Share of masks that D takes for what they are: not minimised, and ½ where fakes look real."""
    right = tf.concat([real_logits > 0, fake_logits < 0], axis=0)
    return tf.reduce_mean(tf.cast(right, tf.float32))


def _gradient_square_norm(discriminator, masks):
    with tf.GradientTape() as tape:
        tape.watch(masks)
        logits = discriminator(masks, training=True)
    gradient = tape.gradient(logits, masks)
    return tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])


def _dragan(discriminator, masks, seed):
    shape = [replicas.total(tf.shape(masks)[0]), *masks.shape[1:]]
    noise = replicas.share(tf.random.stateless_normal(shape, seed, stddev=10 / 255))
    squares = _gradient_square_norm(discriminator, masks + noise)
    # The root's slope is infinite at 0, hence the epsilon inside.
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1))


def _r1(discriminator, masks, seed):
    del seed
    return tf.reduce_mean(_gradient_square_norm(discriminator, masks)) / 2


GRADIENT_PENALTIES = {
    "dragan": _dragan,  # Kodali et al. 2017, with the authors' noise; the paper's
    "r1": _r1,  # Mescheder et al. 2018
}


def gradient_penalty(name, discriminator, masks, seed):
    """`GRADIENT_PENALTIES[name]` of D at real masks [B, S, S, 1]; seed [2] draws DRAGAN's noise."""
    return GRADIENT_PENALTIES[name](discriminator, masks, seed)
