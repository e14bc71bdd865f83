"""The viewpoint that fits: likely by V, and one that explains the mask."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import viewpoint_bins, viewpoint_search
from ptn_semi.models.viewpoint_bins import NUM_ELEVATIONS
from ptn_semi.projection.camera import Camera, ViewRanges
from support.small_models import PROJECTOR

TRUE = np.array([[10, 101.25], [10, 281.25]], np.float32)  # middles of bins 4 and 12, row 1
HEIGHT = 60 / NUM_ELEVATIONS


@pytest.fixture(scope="module")
def voxels():
    voxels = np.zeros((2, 32, 32, 32), np.float32)
    voxels[:, 4:28, 4:12, 9:23] = 1  # long in x, flat
    voxels[:, 4:8, 4:28, 13:19] = 1  # and upright at one end
    return tf.constant(voxels)


@pytest.fixture(scope="module")
def masks(voxels):
    return tf.cast(PROJECTOR([voxels, TRUE]) > 0, tf.float32)


def outputs_of(logits, offsets=(0, 0), row=1):
    """V's outputs for two masks: the same logits by azimuth, and offsets of the two angles."""
    outputs = np.zeros((2, viewpoint_bins.NUM_BINS, 3), np.float32)
    for chosen, logit in logits.items():
        outputs[:, chosen * NUM_ELEVATIONS + row, 0] = logit
    outputs[..., 1:] = offsets
    return tf.constant(outputs)


def find(outputs, masks, voxels):
    bins = viewpoint_bins.Bins(ViewRanges(), Camera())
    return viewpoint_search.search_viewpoints(outputs, masks, voxels, PROJECTOR, bins, 8).numpy()


def test_of_equally_likely_viewpoints_the_one_that_fits_is_chosen(voxels, masks):
    outputs = outputs_of({0: 1, 4: 1, 8: 1, 12: 1})
    np.testing.assert_allclose(find(outputs, masks, voxels), TRUE, atol=2)


def test_a_certain_answer_counts_more_than_a_better_fit(voxels, masks):
    # The first mask was seen from bin 4, but V is certain of bin 12, from where it is mirrored.
    outputs = outputs_of({4: 1, 12: 1000})
    np.testing.assert_allclose(find(outputs, masks, voxels)[:, 1], 281.25, atol=8.1)


def test_small_errors_are_corrected_by_the_fit(voxels, masks):
    before, after = [], []
    for turn, rise in [(0.3, 0), (-0.3, 0), (0, 0.6), (0, -0.6), (0.2, -0.6), (-0.2, -0.6)]:
        # V is wrong by up to 6.75 and 6 degrees.
        found = find(outputs_of({4: 1, 12: 1}, (turn, rise)), masks, voxels)
        before.append(abs(np.float32([rise * HEIGHT / 2, turn * 22.5])))
        after.append(abs(found - TRUE))
    assert np.mean(after) < 0.7 * np.mean(before)


def test_elevations_stay_in_their_range(voxels):
    below = np.float32([[-20, 101.25], [-20, 281.25]])
    masks = tf.cast(PROJECTOR([voxels, below - np.float32([10, 0])]) > 0, tf.float32)
    found = find(outputs_of({4: 1, 12: 1}, (0, -1), row=0), masks, voxels)
    np.testing.assert_array_equal(found[:, 0], np.float32([-20, -20]))
