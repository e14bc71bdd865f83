"""Losses against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import losses

LN2, LN3 = np.log([2, 3])


def logits(*values):
    return tf.constant(values, tf.float32)[:, None]


def test_reconstruction_loss_by_hand():
    predicted = tf.reshape([0.0, 0.5, 1.0, 0.5], (1, 2, 2, 1))
    masks = tf.reshape([0.0, 1.0, 0.0, 0.0], (1, 2, 2, 1))
    # Differences 0, ½, 1, ½: L1 is 2/4 and L2 is 1.5/4.
    assert losses.reconstruction_loss(predicted, masks).numpy() == 0.875
    # Half of the cross-entropy: sure and right costs next to nothing, sure and wrong is limited.
    entropy = float(losses.reconstruction_loss(predicted, masks, "cross_entropy"))
    assert entropy == pytest.approx((2 * LN2 - np.log(1e-3) - np.log(0.999)) / 8, rel=1e-3)


def test_occupancy_loss_by_hand():
    voxels = np.array([0.9, 0.2, 1.0, 0.0], np.float32).reshape(1, 1, 2, 2)
    occupied = np.array([1, 0, 1, 0], np.float32).reshape(1, 1, 2, 2)
    loss = float(losses.occupancy_loss(voxels, occupied))
    assert loss == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 4, rel=1e-4)
    # Sure and wrong costs much, and stays finite, with a gradient where it is not quite sure.
    wrong = float(losses.occupancy_loss(voxels, 1 - occupied))
    assert wrong == pytest.approx(-(np.log(0.1) + np.log(0.2) + 2 * np.log(1e-6)) / 4, rel=1e-3)
    with tf.GradientTape() as tape:
        guess = tf.Variable(voxels)
        loss = losses.occupancy_loss(guess, occupied)
    slope = tape.gradient(loss, guess).numpy().ravel()
    assert slope[0] < 0 < slope[1] and np.isfinite(slope).all()


def test_discriminator_accuracy_by_hand():
    # Right are 2 and ½ of the real masks, −3 and −4 of the fakes; 0 is no answer.
    accuracy = losses.discriminator_accuracy(logits(2, -1, 0.5, 0), logits(-3, -4, 0))
    assert accuracy.dtype == tf.float32
    assert float(accuracy) == pytest.approx(4 / 7)


def test_invariance_losses_by_hand():
    a, b = tf.constant([[1.0, 2.0], [0.0, 0.0]]), tf.constant([[0.0, 4.0], [0.0, 1.0]])
    assert losses.latent_invariance_loss(a, b).numpy() == (1 + 4 + 0 + 1) / 4
    assert losses.voxel_invariance_loss(a, b).numpy() == (1 + 2 + 0 + 1) / 4


@pytest.mark.parametrize(
    "loss",
    [losses.reconstruction_loss, losses.latent_invariance_loss, losses.voxel_invariance_loss],
)
def test_distances_are_symmetric_scalars_and_zero_for_equals(loss):
    rng = np.random.default_rng(0)
    a, b = tf.constant(rng.random((2, 3, 4, 4, 1), np.float32))
    assert loss(a, b).shape == ()
    assert loss(a, b) == loss(b, a) > 0
    assert loss(a, a) == 0


@pytest.mark.parametrize(
    ("name", "real", "fake", "discriminator_loss", "generator_loss"),
    [
        # −log σ(0) = ln 2; σ(ln 3) = ¾.
        ("non_saturating", [0], [0], LN2, LN2),
        ("non_saturating", [LN3], [-LN3], 2 * LN2 - LN3, 2 * LN2),
        ("non_saturating", [LN3, 0], [-LN3, 0], (3 * LN2 - LN3) / 2, 1.5 * LN2),
        # A sure and right D: its loss is gone, G's grows linearly instead of saturating.
        ("non_saturating", [1e4], [-1e4], 0, 1e4),
        ("least_squares", [3], [2], (4 + 4) / 2, 1),
        ("least_squares", [1], [-2], 4 / 2, 9),
        ("least_squares", [1, 2], [0, 1], (0.5 + 0.5) / 2, 0.5),
        ("hinge", [0.5], [-0.25], (0.5 + 0.75) / 2, 0.25),
        ("hinge", [0, 2], [0, -2], (0.5 + 0.5) / 2, 1),
    ],
)
def test_gan_losses_by_hand(name, real, fake, discriminator_loss, generator_loss):
    result = losses.gan_losses(name, logits(*real), logits(*fake))
    np.testing.assert_allclose(result, [discriminator_loss, generator_loss], rtol=1e-6, atol=1e-7)


class Linear:
    """D(x) = slope · Σ x; the gradient of an S×S mask has the norm slope · S."""

    def __init__(self, slope):
        self.slope = tf.Variable(float(slope))
        self.seen = []

    def __call__(self, masks, training):
        assert training
        self.seen.append(masks)
        return self.slope * tf.reduce_sum(masks, axis=[1, 2, 3])[:, None]


@pytest.mark.parametrize(
    ("name", "slope", "penalty", "to_slope"),
    [
        # 2×2 masks: the norm is 2 · slope.
        ("dragan", 3, (6 - 1) ** 2, 2 * (6 - 1) * 2),
        ("dragan", 0.5, 0, 0),
        ("dragan", 0, 1, 0),  # no direction to go from 0, but nothing infinite either
        ("r1", 3, 6**2 / 2, 6 * 2),
        ("r1", 0, 0, 0),
    ],
)
def test_gradient_penalties_by_hand(name, slope, penalty, to_slope):
    discriminator = Linear(slope)
    with tf.GradientTape() as tape:
        result = losses.gradient_penalty(name, discriminator, tf.ones((3, 2, 2, 1)), [0, 1])
    np.testing.assert_allclose(result, penalty, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        tape.gradient(result, discriminator.slope), to_slope, rtol=1e-5, atol=1e-4
    )


def test_a_penalty_is_the_mean_over_masks():
    def discriminator(masks, training):  # gradient norm 2 · value
        return tf.reduce_sum(masks**2, axis=[1, 2, 3])[:, None] / 2

    masks = tf.reshape([1.0, 3.0], (2, 1, 1, 1)) * tf.ones((2, 2, 2, 1))
    assert losses.gradient_penalty("r1", discriminator, masks, [0, 0]) == (4 + 36) / 2 / 2


def test_dragan_looks_around_real_masks_and_r1_at_them():
    masks = tf.ones((20, 256, 256, 1))
    discriminator = Linear(1)
    for name, seed in (("dragan", [0, 1]), ("dragan", [0, 1]), ("dragan", [0, 2]), ("r1", [0, 1])):
        losses.gradient_penalty(name, discriminator, masks, seed)
    first, same, other, exact = (seen.numpy() - 1 for seen in discriminator.seen)
    assert first.std() == pytest.approx(10 / 255, rel=0.002)
    assert first.mean() == pytest.approx(0, abs=1e-4)
    np.testing.assert_array_equal(first, same)
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] == pytest.approx(0, abs=0.003)
    assert (exact == 0).all()
