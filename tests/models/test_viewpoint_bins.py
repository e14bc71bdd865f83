"""V's answers: perfect ones cost nothing and come back as the viewpoints they stand for."""

import numpy as np
import pytest

from ptn_semi.models import viewpoint_bins
from ptn_semi.models.viewpoint_bins import NUM_BINS, NUM_OUTPUTS

RANGE = (-20.0, 40.0)
WIDTH = 360 / NUM_BINS


def perfect(true, sure=50.0):
    """Outputs [B, NUM_BINS, NUM_OUTPUTS] that say exactly these viewpoints."""
    outputs = np.zeros((len(true), NUM_BINS, NUM_OUTPUTS), np.float32)
    for row, (elevation, azimuth) in zip(outputs, true, strict=True):
        place = azimuth % 360 / WIDTH
        row[int(place)] = sure, place % 1 - 0.5, (elevation - 10) / 30
    return outputs


TRUE = np.array(
    [[-20, 0], [40, 359.9], [10, 22.5], [0, 180], [33, 271], [5, -45], [5, 405]], np.float32
)


def test_perfect_answers_come_back_and_cost_nothing():
    outputs = perfect(TRUE)
    found = viewpoint_bins.hypotheses(outputs, 1, RANGE)[0].numpy()
    assert found.shape == (len(TRUE), 1, 2)
    np.testing.assert_allclose(found[:, 0, 0], TRUE[:, 0], atol=1e-3)
    np.testing.assert_allclose(found[:, 0, 1], TRUE[:, 1] % 360, atol=1e-3)
    assert float(viewpoint_bins.viewpoint_loss(outputs, TRUE, RANGE)) == pytest.approx(0, abs=1e-6)


def test_the_loss_by_hand():
    true = np.array([[10, WIDTH / 2]], np.float32)  # middle of bin 0, middle elevation
    outputs = np.zeros((1, NUM_BINS, NUM_OUTPUTS), np.float32)
    expected = np.log(NUM_BINS)  # knows nothing of the bin
    assert float(viewpoint_bins.viewpoint_loss(outputs, true, RANGE)) == pytest.approx(expected)
    outputs[0, 0, 1:] = 0.5, -1  # half a bin and half the range of elevations off
    expected += 0.25 + 1
    assert float(viewpoint_bins.viewpoint_loss(outputs, true, RANGE)) == pytest.approx(expected)
    outputs[0, 1:, 1:] = 9  # other bins' angles do not count
    assert float(viewpoint_bins.viewpoint_loss(outputs, true, RANGE)) == pytest.approx(expected)


def test_hypotheses_are_the_likeliest_bins_in_order():
    outputs = np.zeros((1, NUM_BINS, NUM_OUTPUTS), np.float32)
    outputs[0, [3, 11, 7], 0] = 3, 2, 1
    azimuths = viewpoint_bins.hypotheses(outputs, 3, RANGE)[0].numpy()[0, :, 1]
    np.testing.assert_allclose(azimuths, (np.array([3, 11, 7]) + 0.5) * WIDTH)


def test_elevations_stay_in_the_range_even_of_a_single_one():
    outputs, single = np.full((1, NUM_BINS, NUM_OUTPUTS), 7, np.float32), (5.0, 5.0)
    assert (viewpoint_bins.hypotheses(outputs, 2, RANGE)[0].numpy()[..., 0] == 40).all()
    assert (viewpoint_bins.hypotheses(0 * outputs, 1, single)[0].numpy()[..., 0] == 5).all()
    assert np.isfinite(viewpoint_bins.viewpoint_loss(outputs, TRUE[:1], single))


def test_mirrored_answers_are_averaged_with_the_others():
    mirrored = TRUE * np.float32([1, -1])
    outputs = viewpoint_bins.mean_of_flipped(perfect(TRUE), perfect(mirrored))
    inside = np.abs(TRUE[:, 1] % WIDTH) > 1  # the mirror image of a bin's edge is in the next one
    found = viewpoint_bins.hypotheses(outputs, 1, RANGE)[0].numpy()[inside, 0]
    np.testing.assert_allclose(found[:, 0], TRUE[inside, 0], atol=1e-3)
    np.testing.assert_allclose(found[:, 1], TRUE[inside, 1] % 360, atol=1e-3)
