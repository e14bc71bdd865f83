import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ptn_semi.evaluation import metrics


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


def test_scores_in_double_precision_are_ranked_by_all_of_it():
    # In single precision the two would be tied.
    assert metrics.average_precision(np.array([[0.5, 0.5 + 1e-12]]), [[False, True]]) == 1


def test_lists_are_taken_for_arrays():
    scores, truth = [[0.9, 0.2, 0.6], [0.1, 0.8, 0.3]], [[1, 0, 0], [1, 0, 1]]
    precision, curve = metrics.average_precision(scores, truth), metrics.iou(scores, truth, [0.5])
    np.testing.assert_allclose(precision, [1, (1 / 2 + 2 / 3) / 2])
    np.testing.assert_allclose(curve, [[1 / 2], [0]])


def test_thresholds_are_hundredths():
    np.testing.assert_array_equal(metrics.THRESHOLDS, [float(f"0.{i:02}") for i in range(1, 100)])


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


def test_voxel_grids_are_flattened_and_threads_change_nothing(monkeypatch):
    scores, truth = make_batch("sigmoid", num_examples=9)
    grids = scores.reshape(9, 16, 16, 16), truth.reshape(9, 16, 16, 16)
    alone = metrics.average_precision(scores, truth, num_threads=1)
    assert (alone.shape, alone.dtype) == ((9,), np.float64)
    for num_threads in (2, 5, None):
        np.testing.assert_array_equal(metrics.average_precision(*grids, num_threads), alone)
        np.testing.assert_array_equal(
            metrics.iou(*grids, [0.2, 0.4], num_threads),
            metrics.iou(scores, truth, [0.2, 0.4], num_threads=1),
        )
    monkeypatch.setattr("os.cpu_count", lambda: None)  # as where it cannot be told
    np.testing.assert_array_equal(metrics.average_precision(*grids), alone)


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
    assert list(results[0]) == ["car", "chair", "mean"]
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


def test_iou_at_the_papers_thresholds_by_hand():
    # Of the empty voxels, one ends between each of .39, .4, .41 and of .49, .5, .51.
    scores = np.array([[0.9, 0.395, 0.405, 0.495, 0.505]], np.float32)
    total = metrics.ReconstructionScores()
    total.add(scores, np.array([[1, 0, 0, 0, 0]]), ["chair"], ["a"])
    row = total.result()["chair"]
    assert (row["iou_0.4"], row["iou_0.5"], row["best_threshold"]) == (1 / 4, 1 / 2, 0.51)
    assert {type(value) for value in row.values()} == {float, int}  # plain ones


def test_a_shape_named_in_bytes_is_the_one_named_in_text():
    truth = np.eye(4)
    total = metrics.ReconstructionScores()
    total.add(truth, truth, ["chair", b"chair"] * 2, ["é", "é".encode(), b"b", "b"])
    result = total.result()
    assert list(result) == ["chair", "mean"]
    assert (result["chair"]["num_shapes"], result["chair"]["num_views"]) == (2, 4)


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
    assert result["chair"]["max_iou_per_shape"] == 0  # at no threshold is the right voxel there
    assert result["mean"]["average_precision"] == pytest.approx(0.625)
    assert result["mean"]["iou_0.5"] == pytest.approx(0.5)


def test_what_has_no_score_is_refused():
    scores, truth = make_batch("sigmoid", num_examples=3)
    truth[1] = False
    with pytest.raises(ValueError, match=r"example 1 .*no occupied voxel"):
        metrics.average_precision(scores, truth)
    truth[1, 0] = True
    for shapes in ((scores, truth[:, 1:]), (scores[0], truth[0])):
        with pytest.raises(ValueError, match="same shape"):
            metrics.average_precision(*shapes)
    for value in (np.nan, np.inf, -np.inf):
        scores[2, 5] = value
        with pytest.raises(ValueError, match=r"example 2 .*finite"):
            metrics.iou(scores, truth, [0.5])


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


def test_a_category_may_not_take_the_name_of_the_mean():
    total = metrics.ReconstructionScores()
    total.add(*make_batch("ties", num_examples=2), ["chair", "mean"], ["a", "b"])
    with pytest.raises(ValueError, match='may not be called "mean"'):
        total.result()
