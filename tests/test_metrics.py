import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ptn_semi import metrics


def sigmoid_like(rng, shape, truth):
    logits = rng.normal(scale=3, size=shape) - 4 + 3 * truth
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def make_batch(kind, num_examples=6, num_voxels=4096, seed=0):
    rng = np.random.default_rng(seed)
    shape = (num_examples, num_voxels)
    truth = rng.random(shape) < 0.08
    truth[:, 0] = True
    scores = {
        "ties": lambda: rng.integers(0, 7, shape).astype(np.float32) / 7,
        "sigmoid": lambda: sigmoid_like(rng, shape, truth),
        "float16": lambda: sigmoid_like(rng, shape, truth).astype(np.float16),
        "saturated": lambda: np.round(sigmoid_like(rng, shape, truth)),
        "logits": lambda: rng.normal(size=shape),  # negative ones too, in float64
        "all equal": lambda: np.full(shape, 0.3, np.float32),
    }[kind]()
    return scores, truth


KINDS = ["ties", "sigmoid", "float16", "saturated", "logits", "all equal"]


@pytest.mark.parametrize("kind", KINDS)
def test_average_precision_equals_scikit_learn(kind):
    scores, truth = make_batch(kind)
    expected = [average_precision_score(t, s) for t, s in zip(truth, scores, strict=True)]
    np.testing.assert_allclose(metrics.average_precision(scores, truth), expected, atol=1e-9)


def test_average_precision_by_hand():
    # Down the ranking: a hit (precision 1), a miss, two tied of which one hits (2 of 4), a miss.
    scores = np.array([[0.9, 0.8, 0.5, 0.5, 0.1]], np.float32)
    truth = np.array([[True, False, True, False, False]])
    assert metrics.average_precision(scores, truth)[0] == pytest.approx((1 + 2 / 4) / 2)


def test_iou_by_hand_and_strictly_above():
    scores = np.array([[0.9, 0.8, 0.4, 0.4, 0.1]], np.float32)
    truth = np.array([[True, False, True, False, True]])
    result = metrics.iou(scores, truth, [0.4, 0.05, 0.95])
    np.testing.assert_allclose(result, [[1 / 4, 3 / 5, 0]])


@pytest.mark.parametrize("kind", KINDS)
def test_iou_equals_its_definition(kind):
    scores, truth = make_batch(kind)
    curve = metrics.iou(scores, truth, metrics.THRESHOLDS)
    if kind == "float16":  # is scored as float32
        scores = scores.astype(np.float32)
    for column, threshold in enumerate(metrics.THRESHOLDS):
        occupied = scores > float(threshold)
        expected = (occupied & truth).sum(1) / (occupied | truth).sum(1)
        np.testing.assert_array_equal(curve[:, column], expected)
    np.testing.assert_array_equal(metrics.iou(scores, truth, [0.5, 0.4]), curve[:, [49, 39]])


def test_perfect_prediction():
    truth = make_batch("ties")[1]
    assert (metrics.average_precision(truth.astype(np.float32), truth) == 1).all()
    assert (metrics.iou(truth.astype(np.float32), truth, [0.4, 0.5]) == 1).all()


def test_voxel_grids_are_flattened_and_threads_change_nothing():
    scores, truth = make_batch("sigmoid", num_examples=9)
    grids = scores.reshape(9, 16, 16, 16), truth.reshape(9, 16, 16, 16)
    alone = metrics.average_precision(scores, truth, num_threads=1)
    for num_threads in (2, 5, None):
        np.testing.assert_array_equal(metrics.average_precision(*grids, num_threads), alone)
        np.testing.assert_array_equal(
            metrics.iou(*grids, [0.2, 0.4], num_threads),
            metrics.iou(scores, truth, [0.2, 0.4], num_threads=1),
        )


def test_batches_of_any_size_give_the_same_bits():
    scores, truth = make_batch("sigmoid", num_examples=11)
    categories = ["chair", "car", b"chair"] * 3 + ["car", "chair"]
    model_ids = ["a", "b", b"c"] * 3 + ["b", "d"]
    results = []
    for cuts in ([11], [1, 5, 9, 11], range(1, 12)):
        total = metrics.ReconstructionScores()
        start = 0
        for stop in cuts:
            part = slice(start, stop)
            total.add(scores[part], truth[part], categories[part], model_ids[part])
            start = stop
        results.append(total.result())
    assert results[0] == results[1] == results[2]
    chair = results[0]["chair"]
    assert (chair["num_shapes"], chair["num_views"]) == (3, 7)
    assert results[0]["mean"]["num_shapes"] == 4
    assert results[0]["mean"]["num_views"] == 11
    rows = [i for i, name in enumerate(categories) if name in ("chair", b"chair")]
    expected = metrics.average_precision(scores[rows], truth[rows]).mean()
    assert chair["average_precision"] == pytest.approx(expected, abs=1e-12)


def test_the_two_maxima_differ_as_they_should():
    # Two chairs whose perfect thresholds do not overlap: each alone reaches 1, together never.
    truth = np.array([[1, 1, 0, 0], [1, 1, 0, 0]])
    scores = np.array([[0.3, 0.3, 0.2, 0.2], [0.9, 0.9, 0.6, 0.6]], np.float32)
    total = metrics.ReconstructionScores()
    total.add(scores, truth, ["chair"] * 2, ["a", "b"])
    row = total.result()["chair"]
    assert row["max_iou_per_shape"] == 1
    # From 0.2 the first is right and the second fills everything, IoU 1/2.
    assert row["max_iou_of_mean"] == 0.75
    assert row["best_threshold"] == 0.2
    assert row["iou_0.4"] == row["iou_0.5"] == 0.25


def test_mean_counts_each_category_once():
    truth = np.array([[1, 0, 0, 0]] * 4)
    right = np.array([0.9, 0, 0, 0], np.float32)
    wrong = np.array([0, 0.9, 0.9, 0.9], np.float32)
    total = metrics.ReconstructionScores()
    total.add(np.stack([right, wrong, wrong, wrong]), truth, ["car"] + ["chair"] * 3, list("abcd"))
    result = total.result()
    assert list(result) == ["car", "chair", "mean"]
    assert result["car"]["average_precision"] == 1
    assert result["chair"]["average_precision"] == 0.25
    assert result["mean"]["average_precision"] == pytest.approx(0.625)
    assert result["mean"]["iou_0.5"] == pytest.approx(0.5)


def test_what_has_no_score_is_refused():
    scores, truth = make_batch("sigmoid", num_examples=3)
    truth[1] = False
    with pytest.raises(ValueError, match=r"example 1 .*no occupied voxel"):
        metrics.average_precision(scores, truth)
    truth[1, 0] = True
    scores[2, 5] = np.nan
    with pytest.raises(ValueError, match=r"example 2 .*finite"):
        metrics.iou(scores, truth, [0.5])
    with pytest.raises(ValueError, match="same shape"):
        metrics.average_precision(scores, truth[:, 1:])
    total = metrics.ReconstructionScores()
    with pytest.raises(ValueError, match="finite"):
        total.add(scores, truth, ["chair"] * 3, list("abc"))
    with pytest.raises(ValueError, match="no example"):
        total.result()
    with pytest.raises(ValueError, match="one of each"):
        total.add(scores, truth, ["chair"], list("abc"))
