"""Scores by hand, against scikit-learn and against their definitions."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ptn_semi.evaluation import metrics


def make_batch(kind, num_examples=6, num_voxels=4096, seed=0):
    rng = np.random.default_rng(seed)
    shape = (num_examples, num_voxels)
    truth = rng.random(shape) < 0.08
    truth[:, 0] = True
    sigmoid = 1 / (1 + np.exp(4 - 3 * truth - rng.normal(scale=3, size=shape)))
    scores = {
        "ties": rng.integers(0, 7, shape).astype(np.float32) / 7,
        "sigmoid": sigmoid.astype(np.float32),
        "float16": sigmoid.astype(np.float16),
        "saturated": np.round(sigmoid),
        "logits": rng.normal(size=shape),  # negative ones too, in float64
        "all equal": np.full(shape, 0.3, np.float32),
    }[kind]
    return scores, truth


def score(scores, truth, categories=None, model_ids=None):
    """The rows of a batch, by default of chairs with a name each."""
    total = metrics.ReconstructionScores()
    numbers = [str(i) for i in range(len(scores))]
    total.add(scores, truth, categories or ["chair"] * len(scores), model_ids or numbers)
    return total.result()


@pytest.mark.parametrize("kind", ["ties", "sigmoid", "float16", "saturated", "logits", "all equal"])
def test_scores_equal_scikit_learn_and_their_definitions(kind):
    scores, truth = make_batch(kind)
    precision = [average_precision_score(t, s) for t, s in zip(truth, scores, strict=True)]
    np.testing.assert_allclose(metrics.average_precision(scores, truth), precision, atol=1e-9)
    row = score(scores, truth)["chair"]
    if kind == "float16":  # is scored as float32
        scores = scores.astype(np.float32)
    occupied = [scores > float(threshold) for threshold in metrics.THRESHOLDS]
    curves = np.array([(o & truth).sum(1) / (o | truth).sum(1) for o in occupied])
    mean = curves.mean(axis=1)
    assert row == pytest.approx(
        {
            "average_precision": np.mean(precision),
            "iou_0.4": mean[39],
            "iou_0.5": mean[49],
            "max_iou_of_mean": mean.max(),
            "max_iou_per_shape": curves.max(axis=0).mean(),
            "best_threshold": metrics.THRESHOLDS[mean.argmax()],
            "num_shapes": 6,
            "num_views": 6,
        }
    )


def test_average_precision_by_hand():
    # Down the ranking: a hit (precision 1), a miss, two tied of which one hits (2 of 4), a miss.
    found = metrics.average_precision([[0.9, 0.8, 0.5, 0.5, 0.1]], [[1, 0, 1, 0, 0]])
    np.testing.assert_allclose(found, [(1 + 2 / 4) / 2])
    # In single precision the two would be tied.
    assert metrics.average_precision(np.array([[0.5, 0.5 + 1e-12]]), [[False, True]]) == 1


def test_thresholds_are_hundredths_and_scores_are_strictly_above():
    np.testing.assert_array_equal(metrics.THRESHOLDS, [float(f"0.{i:02}") for i in range(1, 100)])
    scores = np.array([[0.9, 0.8, 0.4, 0.4, 0.1]], np.float32)
    row = score(scores, np.array([[True, False, True, False, True]]))["chair"]
    assert row["iou_0.4"] == 1 / 4
    # Of the empty voxels, one ends between each of .39, .4, .41 and of .49, .5, .51.
    row = score(np.float32([[0.9, 0.395, 0.405, 0.495, 0.505]]), [[1, 0, 0, 0, 0]])["chair"]
    assert (row["iou_0.4"], row["iou_0.5"], row["best_threshold"]) == (1 / 4, 1 / 2, 0.51)
    assert {type(value) for value in row.values()} == {float, int}  # plain ones


def test_grids_of_any_shape_in_batches_of_any_size_give_the_same_bits():
    scores, truth = make_batch("sigmoid", num_examples=11)
    categories = ["chair", "car", b"chair"] * 3 + ["car", "chair"]
    model_ids = ["a", "b", b"c"] * 3 + ["b", "d"]
    results = []
    for cuts, shape in (([11], (-1,)), ([1, 5, 9, 11], (16, 16, 16)), (range(1, 12), (64, 64))):
        total = metrics.ReconstructionScores()
        start = 0
        for stop in cuts:
            part = slice(start, stop)
            grids = (each[part].reshape(stop - start, *shape) for each in (scores, truth))
            total.add(*grids, categories[part], model_ids[part])
            start = stop
        results.append(total.result())
    assert results[0] == results[1] == results[2]
    assert list(results[0]) == ["car", "chair", "mean"]
    counts = {name: (row["num_shapes"], row["num_views"]) for name, row in results[0].items()}
    assert counts == {"car": (1, 4), "chair": (3, 7), "mean": (4, 11)}
    rows = [i for i, name in enumerate(categories) if name in ("chair", b"chair")]
    expected = metrics.average_precision(scores[rows], truth[rows]).mean()
    precision = {name: row["average_precision"] for name, row in results[0].items()}
    assert precision["chair"] == pytest.approx(expected, abs=1e-12)
    # The mean counts each category once.
    assert precision["mean"] == pytest.approx((precision["car"] + precision["chair"]) / 2)


def test_the_two_maxima_differ_as_they_should():
    # Two chairs whose perfect thresholds do not overlap: each alone reaches 1, together never.
    truth = np.array([[1, 1, 0, 0], [1, 1, 0, 0]])
    row = score(np.float32([[0.3, 0.3, 0.2, 0.2], [0.9, 0.9, 0.6, 0.6]]), truth)["chair"]
    assert row["max_iou_per_shape"] == 1
    # From 0.2 the first is right and the second fills everything, IoU 1/2.
    assert row["max_iou_of_mean"] == 0.75
    assert row["best_threshold"] == 0.2
    assert row["iou_0.4"] == row["iou_0.5"] == 0.25


def test_what_has_no_score_is_refused():
    scores, truth = make_batch("sigmoid", num_examples=3)
    for shapes in ((scores, truth[:, 1:]), (scores[0], truth[0])):
        with pytest.raises(ValueError, match="same shape"):
            metrics.average_precision(*shapes)
    with pytest.raises(ValueError, match=r"example 0 .*no occupied voxel"):
        metrics.average_precision(scores, np.zeros_like(truth))
    for value in (np.nan, np.inf, -np.inf):
        scores[2, 5] = value
        with pytest.raises(ValueError, match=r"example 2 .*finite"):
            metrics.average_precision(scores, truth)
    with pytest.raises(ValueError, match='may not be called "mean"'):
        score(*make_batch("ties", num_examples=2), ["chair", "mean"])


def test_what_is_refused_is_not_counted():
    scores, truth = make_batch("sigmoid", num_examples=3)
    total = metrics.ReconstructionScores()
    for categories, model_ids in ((["chair"] * 2, "abc"), (["chair"] * 3, "ab"), (["car"], "a")):
        with pytest.raises(ValueError, match="one of each"):
            total.add(scores, truth, categories, list(model_ids))
    scores[2, 5] = np.nan
    with pytest.raises(ValueError, match="finite"):
        total.add(scores, truth, ["chair"] * 3, list("abc"))
    with pytest.raises(ValueError, match="no example"):
        total.result()
