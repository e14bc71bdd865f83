"""The viewpoint that fits: of those that V finds likely, the one that explains the mask."""

import numpy as np
import tensorflow as tf

from ptn_semi.models import viewpoint_bins, viewpoint_search
from ptn_semi.projection.camera import ELEVATION_RANGE
from small_models import PROJECTOR


def test_the_likeliest_viewpoint_that_fits_best_is_chosen():
    voxels = np.zeros((2, 32, 32, 32), np.float32)
    voxels[:, 4:28, 4:12, 13:19] = 1  # long in x, flat
    voxels[:, 4:8, 4:28, 13:19] = 1  # and upright at one end
    true = np.array([[10, 101.25], [10, 281.25]], np.float32)  # middles of bins 4 and 12
    masks = tf.cast(PROJECTOR([voxels, true]) > 0, tf.float32)
    answers = np.zeros((2, viewpoint_bins.NUM_BINS, viewpoint_bins.NUM_OUTPUTS), np.float32)
    answers[:, [0, 4, 8, 12], 0] = 1  # these four bins are likeliest, whatever the mask
    found = viewpoint_search.fitting_viewpoints(
        tf.constant(answers), masks, tf.constant(voxels), PROJECTOR, ELEVATION_RANGE
    )
    np.testing.assert_allclose(found, true, atol=1e-3)
