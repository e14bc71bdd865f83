"""Baselines: two know the labels, and the oracle knows the true voxels."""

import numpy as np
import pytest

from ptn_semi.evaluation import baselines
from support.small_models import PROJECTOR
from support.small_sets import procedural_shapes

VIEWS = 3


@pytest.fixture(scope="module")
def train():
    return procedural_shapes(PROJECTOR, ["chair"] * 6 + ["table"] * 4, VIEWS)


@pytest.fixture(scope="module")
def hulls(train):
    """The true voxels in place of hulls, of all shapes."""
    return train.unpack_voxels(np.arange(len(train))).astype(np.uint8) * 255


def precision(rows, category):
    return rows[category]["average_precision"]


def test_the_mean_shape_counts_every_training_shape_once(train):
    mean = baselines.mean_shape(train, "table")
    np.testing.assert_allclose(mean, train.unpack_voxels(np.arange(6, 10)).mean(axis=0), rtol=1e-6)
    rows = baselines.score_mean_shape(train, train)
    assert rows["table"]["num_views"] == 4


def test_the_mean_hull_is_that_of_the_labeled_shapes_of_the_category(train, hulls):
    labeled = np.array([1, 7])  # a chair and a table: each category's mean is one shape
    rows = baselines.score_mean_hull(train, labeled, hulls[labeled], train)
    alone = baselines.score_mean_hull(train, labeled[:1], hulls[labeled[:1]], train)
    everything = baselines.score_mean_hull(train, np.arange(10), hulls, train)
    oracle = baselines.score_mean_shape(train, train)
    assert precision(everything, "chair") == pytest.approx(precision(oracle, "chair"))
    assert precision(rows, "chair") == precision(alone, "chair")
    # Without a labeled table, the chair answers.
    assert precision(alone, "table") < precision(rows, "table") < precision(everything, "table")


def test_the_nearest_masks_are_the_masks_themselves_where_they_are_labeled(
    train, hulls, monkeypatch
):
    everything = np.arange(10)
    monkeypatch.setattr(baselines, "_NEAREST", 1)
    rows = baselines.score_nearest(train, everything, VIEWS, hulls, train, VIEWS)
    assert rows["mean"]["average_precision"] == 1
    assert rows["mean"]["num_views"] == 10 * VIEWS


def test_the_nearest_of_few_masks_are_all_of_them(train, hulls):
    labeled = np.array([0, 6])
    rows = baselines.score_nearest(train, labeled, 1, hulls[labeled], train, 1)
    mean = baselines.score_mean_hull(train, labeled, hulls[labeled], train)
    assert precision(rows, "chair") == pytest.approx(precision(mean, "chair"))
