"""What the refiner and V learn from: masks of warped hulls, and viewpoints."""

import numpy as np
import tensorflow as tf

from ptn_semi.models import train_steps
from support.small_models import BATCH, PROJECTOR, build


def test_the_refiner_is_shown_true_and_estimated_viewpoints(monkeypatch):
    reconstructor = build(supervision="labeled", occupancy_weight=1.0, refine=True)
    shown, true, estimated = [], [], []
    refiner, fitting = reconstructor.refiner, train_steps._fitting_viewpoints
    estimate = train_steps._train_viewpoints

    def spy(inputs, training):
        shown.append(inputs[2])
        return refiner(inputs, training=training)

    spy.trainable_variables = refiner.trainable_variables
    reconstructor.refiner = spy
    monkeypatch.setattr(
        train_steps,
        "_fitting_viewpoints",
        lambda *args: estimated.append(fitting(*args)) or estimated[-1],
    )
    monkeypatch.setattr(
        train_steps,
        "_train_viewpoints",
        lambda model, masks, viewpoints: (
            true.append(viewpoints) or estimate(model, masks, viewpoints)
        ),
    )
    train_steps.supervised(reconstructor, BATCH)
    first = true[0][6::3]  # V sees 3 pairs of views, then 3 renders of each shape
    np.testing.assert_array_equal(shown[0][::2], first[::2])
    np.testing.assert_array_equal(shown[0][1::2], estimated[0][1::2])


def test_masks_of_uncertain_hulls_show_their_likely_voxels(monkeypatch):
    reconstructor = build(supervision="labeled", occupancy_weight=1.0)
    hull = np.zeros((3, 32, 32, 32), np.float32)
    hull[:, 8:24, 8:24, 8:24] = 0.9
    hull[:, 4:8] = 0.1  # hardly likely
    monkeypatch.setattr(train_steps.warps, "random_warp", lambda voxels, seed, strength: voxels)
    warped, masks, viewpoints = train_steps._warped(reconstructor, tf.constant(hull), 0.25)
    np.testing.assert_array_equal(warped, hull)
    expected = PROJECTOR([tf.cast(hull > 0.5, tf.float32), viewpoints[:, 0]]) > 0
    np.testing.assert_array_equal(masks[:, 0], tf.cast(expected, tf.float32))
