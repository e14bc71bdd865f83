"""How far estimated viewpoints are off, and what the true ones would give."""

from types import SimpleNamespace

import numpy as np
import pytest

from ptn_semi.evaluation import viewpoint_scores
from ptn_semi.projection.camera import ViewRanges
from support import projections
from support.small_sets import procedural_shapes


def test_a_twin_is_seen_from_the_other_side_of_the_same_silhouette():
    true = np.array([0.0, 10, 90, 350, 200])
    estimated = np.array([350.0, 170, 91, 195, 20])
    errors, of_twins = viewpoint_scores.azimuth_errors(estimated, true)
    np.testing.assert_allclose(errors, [10, 160, 1, 155, 180])
    np.testing.assert_allclose(of_twins, [10, 0, 1, 5, 40])


class Turned:
    """Networks that are off by a constant azimuth, and right if they are told the viewpoint."""

    settings = SimpleNamespace(views=ViewRanges())

    def __init__(self, shapes, turn):
        self.shapes, self.turn, self.calls = shapes, turn, 0

    def predict_views(self, masks, viewpoints=None):
        truth = self.shapes.unpack_voxels(np.repeat(np.arange(len(self.shapes)), 2))
        if viewpoints is not None:
            self.given = viewpoints
            return truth.astype(np.float32), viewpoints
        known = self.shapes.viewpoints[:, :2].reshape(-1, 1, 2)
        return np.full(truth.shape, 0.5, np.float32), known + np.float32([0, self.turn])


@pytest.mark.parametrize("turn, near", [(10, 1), (60, 0)])
def test_what_true_viewpoints_would_add(turn, near):
    shapes = procedural_shapes(projections.make(32), ["chair", "table"], 3, seed=0)
    networks = Turned(shapes, turn)
    scores = viewpoint_scores.score_viewpoints(networks, shapes, num_views=2)
    assert scores["azimuth_within_15"] == near <= scores["azimuth_within_15_of_twins"]
    assert scores["average_precision"] < 0.5
    assert scores["average_precision_of_true_viewpoints"] == pytest.approx(1)
    np.testing.assert_array_equal(networks.given[:, 0], shapes.viewpoints[:, :2].reshape(-1, 2))
    assert f"within 15° for {near:.0%}" in viewpoint_scores.describe(scores)
