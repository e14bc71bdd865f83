"""What R and V learn from: masks of warped hulls, and viewpoints."""

import numpy as np
import tensorflow as tf

from ptn_semi.models import semi_supervised
from ptn_semi.models.draws import Draws
from support.small_models import BATCH, PROJECTOR, REFINING, build


def test_the_refiner_is_shown_true_and_estimated_viewpoints(monkeypatch):
    model = build(**REFINING)
    shown, refiner = [], model.networks.refiner
    estimated = tf.fill((3, 2), 400.0)  # degrees, which no true viewpoint has
    monkeypatch.setattr(model.networks, "estimate_viewpoints", lambda *_: estimated)

    def spy(inputs, training):
        shown.append(inputs[2].numpy())
        return refiner(inputs, training=training)

    spy.trainable_variables = refiner.trainable_variables
    model.networks.refiner = spy
    model._supervised(BATCH, Draws(0, model.steps))
    assert (shown[0] == 400).tolist() == [[False, False], [True, True], [False, False]]


def test_masks_of_uncertain_hulls_show_their_likely_voxels(monkeypatch):
    model = build(supervision="labeled", occupancy_weight=1.0)
    hull = np.zeros((3, 32, 32, 32), np.float32)
    hull[:, 8:24, 8:24, 8:24] = 0.9
    hull[:, 4:8] = 0.1  # hardly likely
    keep = lambda voxels, seed, strength: voxels
    monkeypatch.setattr(semi_supervised.warps, "random_warp", keep)
    warped, masks, viewpoints = model._warp(tf.constant(hull), 0.25, Draws(0, model.steps))
    np.testing.assert_array_equal(warped, hull)
    expected = PROJECTOR([tf.cast(hull > 0.5, tf.float32), viewpoints[:, 0]]) > 0
    np.testing.assert_array_equal(masks[:, 0], tf.cast(expected, tf.float32))
