"""Scores of shapes as they are written."""

import numpy as np
import pytest

from ptn_semi.evaluation import metrics, written_scores
from support.extruding_reconstructor import ExtrudingNetworks
from support.small_sets import procedural_shapes


def box(*corner, size=6, side=16):
    shape = np.zeros((side,) * 3, bool)
    shape[tuple(slice(low, low + size) for low in corner)] = True
    return shape


def test_scores_by_hand():
    truth = box(4, 4, 4)
    assert written_scores.shape_scores(truth, truth) == (1, 1)
    assert written_scores.shape_scores(truth & False, truth) == (0, 0)
    # One voxel aside, all voxels are right to within a voxel; two aside, a sixth is not.
    iou, f1 = written_scores.shape_scores(box(5, 4, 4), truth)
    assert iou == pytest.approx(5 / 7) and f1 == 1
    iou, f1 = written_scores.shape_scores(box(6, 4, 4), truth)
    assert iou == pytest.approx(4 / 8) and f1 == pytest.approx(5 / 6)
    # A corner is farther than one voxel.
    assert written_scores.shape_scores(box(5, 5, 5, size=1), box(6, 6, 5, size=1)) == (0, 0)


def test_parts_that_touch_at_a_corner_are_one():
    two = box(2, 2, 2, size=3) | box(5, 5, 5, size=3)
    assert written_scores.num_parts(two) == 1
    assert written_scores.num_parts(two | box(12, 2, 2, size=2)) == 2
    assert written_scores.num_parts(two & False) == 0


def test_categories_have_equal_weight():
    networks = ExtrudingNetworks(32)
    shapes = procedural_shapes(networks.render_projector, ["chair", "chair", "table"], 2, seed=0)
    rows = written_scores.score_written(networks, shapes, 0.5, 6)
    assert rows.keys() == {"chair", "table", "mean"}
    for row in rows.values():
        assert row.keys() == set(metrics.WRITTEN)
        assert 0 < row["written_iou"] < row["written_f1"] < 1 <= row["parts"]
    means = [(rows["chair"][name] + rows["table"][name]) / 2 for name in metrics.WRITTEN]
    assert list(rows["mean"].values()) == pytest.approx(means)
    (first,) = written_scores.score_written(networks, shapes, 0.5, 1).keys() - {"mean"}
    assert first == "chair"
