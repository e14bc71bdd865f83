"""Scores of voxels as metrics of Keras: they equal those of `evaluation.metrics`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.evaluation import metrics
from ptn_semi.models import voxel_metrics

RNG = np.random.default_rng(0)
# Many equal scores, among them the thresholds.
SCORES = np.round(RNG.random((5, 8, 8, 8)), 1).astype(np.float32)
TRUTH = RNG.random(SCORES.shape) < SCORES / 2


@pytest.mark.parametrize("jit_compile", [False, True])
def test_average_precision_is_the_exact_one(jit_compile):
    score = tf.function(voxel_metrics._average_precision, jit_compile=jit_compile)
    expected = metrics.average_precision(SCORES, TRUTH)
    np.testing.assert_allclose(score(tf.constant(TRUTH), tf.constant(SCORES)), expected, rtol=1e-6)


def test_examples_count_once_however_they_are_cut_into_batches():
    scores = metrics.ReconstructionScores()
    scores.add(SCORES, TRUTH, ["chair"] * 5, list("abcde"))
    expected = scores.result()["chair"]
    made = [voxel_metrics.AveragePrecision(), *map(voxel_metrics.VoxelIoU, (0.4, 0.5))]
    for metric in made:
        metric.update_state(TRUTH[:1], SCORES[:1])
        metric.update_state(TRUTH[1:].astype(np.float32), SCORES[1:])
        assert float(metric.result()) == pytest.approx(expected[metric.name], rel=1e-6)


def test_nothing_occupied_scores_nothing():
    for metric in (voxel_metrics.AveragePrecision(), voxel_metrics.VoxelIoU()):
        assert float(metric(np.zeros((1, 4, 4, 4)), np.zeros((1, 4, 4, 4)))) == 0


def test_voxels_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 8, 8, 8\) and predicted ones \(5, 4, 8, 8\) must"):
        voxel_metrics.AveragePrecision().update_state(TRUTH, SCORES[:, ::2])


def test_they_are_saved_and_used_in_other_models(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 8)), keras.layers.Identity()])
    names = {"average_precision", "iou_0.3"}
    scores = [voxel_metrics.AveragePrecision(), voxel_metrics.VoxelIoU(0.3)]
    model.compile(loss="mse", metrics=scores)
    expected = model.evaluate(SCORES, TRUTH, batch_size=2, verbose=0, return_dict=True)
    assert expected.keys() == names | {"loss"}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(SCORES, TRUTH, verbose=0, return_dict=True) == pytest.approx(expected)
