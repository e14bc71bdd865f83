"""Exact average precision and IoU of predicted voxels; every example counts once.

Both metrics of an example come from one sort of its scores, so a curve of a hundred thresholds
costs no more than a single one. This module does not use TensorFlow.

Two published definitions of "MaxIoU" differ, so both are reported (see `ReconstructionScores`).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Candidates for the best threshold. They include 0.4 and 0.5, which papers report.
THRESHOLDS = np.arange(1, 100) / 100

Scores = dict[str, dict[str, float | int]]  # {category: {metric: value}}


def average_precision(
    scores: np.ndarray, truth: np.ndarray, num_threads: int | None = None
) -> np.ndarray:
    """Compute the average precision over the voxels of each example.

    This is the area under the precision-recall curve as a sum over distinct scores,
    Σ (Rₙ − Rₙ₋₁) Pₙ, without interpolation, as `sklearn.metrics.average_precision_score` returns.
    Voxels of equal score are accepted or rejected together, so a constant prediction scores the
    share of occupied voxels.

    Args:
      scores: [B, ...] floats of any range; a voxel of higher score is more likely occupied.
      truth: [B, ...] bool (or 0 and 1), of the same shape.
      num_threads: examples to score at a time; None for one per core. Has no effect on the values.

    Returns:
      [B] float64 in (0, 1].

    Raises:
      ValueError: if shapes differ, a score is not finite, or an example has no occupied voxel.
    """
    return _per_example(_average_precision, scores, truth, num_threads)


def iou(
    scores: np.ndarray,
    truth: np.ndarray,
    thresholds: Sequence[float] | np.ndarray,
    num_threads: int | None = None,
) -> np.ndarray:
    """Compute the intersection over union of predicted and true voxels at each threshold.

    A voxel is predicted occupied if `score > threshold`, strictly. Thresholds are first rounded to
    the precision of the scores (float32 for anything narrower), so that a float32 score of 0.4 is
    not above a threshold of 0.4.

    Args:
      scores: [B, ...] floats.
      truth: [B, ...] bool (or 0 and 1), of the same shape.
      thresholds: [T] floats, in any order.
      num_threads: examples to score at a time; None for one per core. Has no effect on the values.

    Returns:
      [B, T] float64 in [0, 1].

    Raises:
      ValueError: if shapes differ, a score is not finite, or an example has no occupied voxel.
    """
    thresholds = np.asarray(thresholds)
    return _per_example(
        lambda every, occupied: _iou_curve(every, occupied, thresholds), scores, truth, num_threads
    )


class ReconstructionScores:
    """Accumulates the scores of a split per category, batch by batch.

    Only sums are kept, and examples are added in the order given. The result is therefore
    bit-identical however the split is cut into batches. An example is one view; a shape is a model
    id that may be seen in several views.

    Args:
      num_threads: examples to score at a time; None for one per core.
    """

    def __init__(self, num_threads: int | None = None):
        self._num_threads = num_threads
        self._categories: dict[str, _CategorySums] = {}

    def add(
        self,
        scores: np.ndarray,
        truth: np.ndarray,
        categories: Sequence[str | bytes] | np.ndarray,
        model_ids: Sequence[str | bytes] | np.ndarray,
    ) -> None:
        """Add a batch of any size.

        Args:
          scores: [B, ...] predicted occupancy in [0, 1].
          truth: [B, ...] bool (or 0 and 1), of the same shape.
          categories: [B] names; bytes are decoded as UTF-8.
          model_ids: [B] names of the shapes, unique within a category; bytes are decoded as UTF-8.

        Raises:
          ValueError: if lengths or shapes differ, a score is not finite, or an example has no
            occupied voxel. Nothing of the batch is added then.
        """
        if not len(scores) == len(categories) == len(model_ids):
            raise ValueError(
                f"{len(scores)} predictions, {len(categories)} categories and {len(model_ids)} "
                "model ids were given; there must be one of each per example"
            )
        # Both metrics come from one sort: [B, 1 + T].
        values = _per_example(
            lambda every, occupied: np.append(
                _average_precision(every, occupied), _iou_curve(every, occupied, THRESHOLDS)
            ),
            scores,
            truth,
            self._num_threads,
        )
        for value, category, model_id in zip(values, categories, model_ids, strict=True):
            sums = self._categories.setdefault(_text(category), _CategorySums())
            sums.add(value[0], value[1:], _text(model_id))

    def result(self) -> Scores:
        """Return the scores of everything added so far.

        Returns:
          One row per category, and the row "mean": `{category: {metric: value}}`.

          `average_precision`, `iou_0.4`, `iou_0.5`: means over the category's examples.
          `max_iou_of_mean`: the maximum over `THRESHOLDS` of the category's mean IoU. It is reached
            at `best_threshold`, one threshold for the whole category.
          `max_iou_per_shape`: the mean of each example's own maximum IoU over `THRESHOLDS`, which
            is never smaller. As in the paper authors' code, every view is an example of its own.
          `num_shapes`, `num_views`: numbers of distinct model ids and of examples.

          The row "mean" is the mean over categories, which have equal weight however many shapes
          they have. Its `max_iou_of_mean` is the maximum of the mean of the categories' curves,
          so it has one threshold for all of them. Its counts are totals.

        Raises:
          ValueError: if nothing was added, or a category is itself called "mean".
        """
        if not self._categories:
            raise ValueError("no example was added, so there are no scores")
        if "mean" in self._categories:
            raise ValueError('a category may not be called "mean": that row is the mean of all')
        rows: Scores = {}
        means = []
        for category, sums in sorted(self._categories.items()):
            mean = sums.total / sums.num_views
            means.append(mean)
            rows[category] = _row(mean, len(sums.model_ids), sums.num_views)
        rows["mean"] = _row(
            np.mean(means, axis=0),
            sum(len(sums.model_ids) for sums in self._categories.values()),
            sum(sums.num_views for sums in self._categories.values()),
        )
        return rows


class _CategorySums:
    """Sums over a category's examples: average precision, best IoU, IoU at each threshold."""

    def __init__(self) -> None:
        self.total = np.zeros(2 + len(THRESHOLDS))
        self.num_views = 0
        self.model_ids: set[str] = set()

    def add(self, average_precision: float, curve: np.ndarray, model_id: str) -> None:
        self.total[0] += average_precision
        self.total[1] += curve.max()
        self.total[2:] += curve
        self.num_views += 1
        self.model_ids.add(model_id)


def _row(mean: np.ndarray, num_shapes: int, num_views: int) -> dict[str, float | int]:
    """Return a row of `ReconstructionScores.result` from means [2 + T], as in `_CategorySums`."""
    curve = mean[2:]
    best = int(curve.argmax())  # The lowest threshold wins a tie.
    return {
        "average_precision": float(mean[0]),
        "iou_0.4": float(curve[39]),
        "iou_0.5": float(curve[49]),
        "max_iou_of_mean": float(curve[best]),
        "max_iou_per_shape": float(mean[1]),
        "best_threshold": float(THRESHOLDS[best]),
        "num_shapes": num_shapes,
        "num_views": num_views,
    }


def _average_precision(every: np.ndarray, occupied: np.ndarray) -> np.floating:
    """Compute AP from the ascending scores of all voxels and of the truly occupied ones.

    The sum over distinct scores equals the mean over occupied voxels of the precision at their
    score.
    """
    true_positives = occupied.size - np.searchsorted(occupied, occupied, side="left")
    predicted = every.size - np.searchsorted(every, occupied, side="left")
    return np.mean(true_positives / predicted)


def _iou_curve(every: np.ndarray, occupied: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Compute the IoU at each threshold, [T], from the same ascending scores."""
    thresholds = thresholds.astype(every.dtype)
    predicted = every.size - np.searchsorted(every, thresholds, side="right")
    intersection = occupied.size - np.searchsorted(occupied, thresholds, side="right")
    return intersection / (predicted + occupied.size - intersection)


def _per_example(
    score_example: Callable[[np.ndarray, np.ndarray], np.ndarray | np.floating],
    scores: np.ndarray,
    truth: np.ndarray,
    num_threads: int | None,
) -> np.ndarray:
    """Check and flatten a batch, then stack `score_example(all sorted, occupied sorted)`."""
    scores = np.asarray(scores)
    truth = np.asarray(truth)
    if scores.shape != truth.shape or scores.ndim < 2:
        raise ValueError(
            f"scores {scores.shape} and truth {truth.shape} must have the same shape [B, ...]"
        )
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float32)  # Exact for float16 and bfloat16, and faster to sort.
    scores = scores.reshape(len(scores), -1)
    truth = truth.reshape(len(truth), -1).astype(bool, copy=False)
    empty = np.flatnonzero(~truth.any(axis=1))
    if empty.size:
        raise ValueError(
            f"the truth of example {empty[0]} of the batch has no occupied voxel, so its scores "
            "are undefined"
        )

    def run(index: int) -> np.ndarray | np.floating:
        every = np.sort(scores[index])
        if not np.isfinite(every[[0, -1]]).all():  # NaN sorts last.
            raise ValueError(f"the scores of example {index} of the batch are not all finite")
        return score_example(every, np.sort(scores[index][truth[index]]))

    if num_threads is None:
        num_threads = os.cpu_count() or 1
    if num_threads == 1 or len(scores) == 1:
        return np.stack([run(index) for index in range(len(scores))])
    with ThreadPoolExecutor(num_threads) as pool:  # NumPy's sorts release the GIL.
        return np.stack(list(pool.map(run, range(len(scores)))))


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
