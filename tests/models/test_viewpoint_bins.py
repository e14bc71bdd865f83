"""V's answers: perfect ones cost nothing and come back as the viewpoints they stand for."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import viewpoint_bins
from ptn_semi.models.viewpoint_bins import NUM_AZIMUTHS, NUM_BINS, NUM_ELEVATIONS, Bins
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera, ViewRanges

BINS = Bins(ViewRanges(), Camera())  # elevations from −20 to 40
CAMERAS = ViewRanges((-20, 40), (0, 360), (-15, 15), (1.2, 7), framed_share=1.0)
CAMERA_BINS = Bins(CAMERAS, Camera())
FRAMES = np.float32([0, 0, 0, 0, 0.45, 0.04, -0.03])  # half widths and places
WIDTH, HEIGHT = 360 / NUM_AZIMUTHS, 60 / NUM_ELEVATIONS


def perfect(true, sure=50.0):
    """Outputs [B, NUM_BINS, 3] that say exactly these viewpoints."""
    outputs = np.zeros((len(true), NUM_BINS, 3), np.float32)
    for row, (elevation, azimuth) in zip(outputs, true, strict=True):
        place, rise = azimuth % 360 / WIDTH, (elevation + 20) / HEIGHT
        level = min(int(rise), NUM_ELEVATIONS - 1)
        row[int(place) * NUM_ELEVATIONS + level] = sure, place % 1 - 0.5, 2 * (rise - level) - 1
    return outputs


TRUE = np.array(
    [[-20, 0], [40, 359.9], [10, 22.5], [0, 180], [33, 271], [5, -45], [5, 405]], np.float32
)


def test_perfect_answers_come_back_and_cost_nothing():
    outputs = perfect(TRUE)
    found = BINS.hypotheses(outputs, 1)[0].numpy()
    assert found.shape == (len(TRUE), 1, 2)
    np.testing.assert_allclose(found[:, 0, 0], TRUE[:, 0], atol=1e-3)
    np.testing.assert_allclose(found[:, 0, 1], TRUE[:, 1] % 360, atol=1e-3)
    assert float(BINS.loss(outputs, TRUE)) == pytest.approx(0, abs=1e-6)


def test_the_loss_by_hand():
    true = np.array([[-20 + HEIGHT / 2, WIDTH / 2]], np.float32)  # the middle of bin 0
    outputs = np.zeros((1, NUM_BINS, 3), np.float32)
    expected = np.log(NUM_BINS)  # knows nothing of the bin
    assert float(BINS.loss(outputs, true)) == pytest.approx(expected)
    outputs[0, 0, 1:] = 0.5, -1  # half a bin, and half its height, off
    expected += 0.25 + 1
    assert float(BINS.loss(outputs, true)) == pytest.approx(expected)
    outputs[0, 1:, 1:] = 9  # other bins' angles do not count
    assert float(BINS.loss(outputs, true)) == pytest.approx(expected)


def test_hypotheses_are_the_likeliest_bins_in_order():
    outputs = np.zeros((1, NUM_BINS, 3), np.float32)
    outputs[0, np.array([3, 11, 7]) * NUM_ELEVATIONS, 0] = 3, 2, 1
    azimuths = BINS.hypotheses(outputs, 3)[0].numpy()[0, :, 1]
    np.testing.assert_allclose(azimuths, (np.array([3, 11, 7]) + 0.5) * WIDTH)


def test_elevations_stay_in_the_range_even_of_a_single_one():
    outputs = np.full((1, NUM_BINS, 3), 7, np.float32)
    single = Bins(ViewRanges((5.0, 5.0)), Camera())
    assert (BINS.hypotheses(outputs, NUM_BINS)[0].numpy()[..., 0] <= 40).all()
    assert np.isfinite(single.loss(outputs, TRUE[:1]))
    clipped = BINS.within_elevation(tf.constant([[50.0, 3], [-50, 4]])).numpy()
    np.testing.assert_array_equal(clipped, [[40, 3], [-20, 4]])


def test_mirrored_answers_are_averaged_with_the_others():
    mirrored = TRUE * np.float32([1, -1])
    outputs = viewpoint_bins.mean_of_flipped(perfect(TRUE), perfect(mirrored))
    inside = np.abs(TRUE[:, 1] % WIDTH) > 1  # the mirror image of a bin's edge is in the next one
    found = BINS.hypotheses(outputs, 1)[0].numpy()[inside, 0]
    np.testing.assert_allclose(found[:, 0], TRUE[inside, 0], atol=1e-3)
    np.testing.assert_allclose(found[:, 1], TRUE[inside, 1] % 360, atol=1e-3)


def answers(viewpoints):
    """V's outputs that the loss is lowest for, found by its gradient."""
    outputs = tf.Variable(tf.zeros([len(viewpoints), NUM_BINS, 8]))
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss = CAMERA_BINS.loss(outputs, viewpoints) * len(viewpoints)
        outputs.assign_sub(0.5 * tape.gradient(loss, outputs))
    return outputs


def test_cameras_of_views_come_back_too():
    true = geometry.sample_viewpoints(8, [0, 3], CAMERAS) + FRAMES
    outputs = answers(true)
    found = CAMERA_BINS.hypotheses(outputs, 1)[0].numpy()[:, 0]
    np.testing.assert_allclose(found, true, atol=1e-2)
    completed = CAMERA_BINS.with_cameras(true[:, :2], outputs)
    np.testing.assert_allclose(completed, true, atol=1e-2)


def test_mirrored_answers_with_cameras_are_those_of_the_mirrored_viewpoints():
    true = geometry.sample_viewpoints(8, [0, 4], CAMERAS) + FRAMES
    outputs = answers(true)
    flipped = answers(geometry.mirror_viewpoint(true))
    both = viewpoint_bins.mean_of_flipped(outputs, flipped)
    found = CAMERA_BINS.hypotheses(both, 1)[0].numpy()[:, 0]
    np.testing.assert_allclose(found, true, atol=1e-2)
