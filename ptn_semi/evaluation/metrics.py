"""Exact average precision and IoU of predicted voxels; every example counts once.

Both metrics of an example come from one sort of its scores, so a curve of a hundred thresholds
costs no more than a single one. This module does not use TensorFlow.

Two published definitions of "MaxIoU" differ, so both are reported (see `ReconstructionScores`).
"""

import collections
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Candidates for the best threshold. They include 0.4 and 0.5, which papers report.
THRESHOLDS = np.arange(1, 100) / 100

# Scores of shapes as written and their titles; `written_scores` computes them.
WRITTEN = {"written_iou": "IoU", "written_f1": "F1", "mask_iou": "mask IoU", "parts": "parts"}

Scores = dict[str, dict[str, float | int]]  # {category: {metric: value}}


def average_precision(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Compute the average precision over the voxels of each example.

    This is the area under the precision-recall curve as a sum over distinct scores,
    Σ (Rₙ − Rₙ₋₁) Pₙ, without interpolation, as `sklearn.metrics.average_precision_score` returns.
    Voxels of equal score are accepted or rejected together, so a constant prediction scores the
    share of occupied voxels.

    Args:
      scores: [B, ...] floats of any range; a voxel of higher score is more likely occupied.
      truth: [B, ...] bool (or 0 and 1), of the same shape.

    Returns:
      [B] float64 in (0, 1].

    Raises:
      ValueError: if shapes differ, a score is not finite, or an example has no occupied voxel.
    """
    return _per_example(_average_precision, scores, truth)


class ReconstructionScores:
    """Accumulates the scores of a split per category, batch by batch.

    Only sums are kept, and examples are added in the order given. The result is therefore
    bit-identical however the split is cut into batches. An example is one view; a shape is a model
    id that may be seen in several views.
    """

    def __init__(self) -> None:
        # By category: sums of AP, of the best IoU and of the IoU at each threshold, [2 + T], and
        # the model id of each example.
        self._sums: dict[str, np.ndarray] = {}
        self._model_ids: dict[str, list[str]] = collections.defaultdict(list)

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

        def score(every, occupied):
            curve = _iou_curve(every, occupied)
            return np.array([_average_precision(every, occupied), curve.max(), *curve])

        rows = _per_example(score, scores, truth)
        for row, category, model_id in zip(rows, map(_text, categories), model_ids, strict=True):
            self._sums[category] = self._sums.get(category, 0) + row
            self._model_ids[category].append(_text(model_id))

    def result(self) -> Scores:
        """Return a row of scores per category, and the row "mean": `{category: {metric: value}}`.

        Returns:
          `average_precision`, `iou_0.4`, `iou_0.5`: means over the category's examples. A voxel is
            predicted occupied if `score > threshold`, strictly. Thresholds have the precision of
            the scores, float32 at least, so that a score of 0.4 is not above a threshold of 0.4.
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
        if not self._sums:
            raise ValueError("no example was added, so there are no scores")
        if "mean" in self._sums:
            raise ValueError('a category may not be called "mean": that row is the mean of all')
        ids = {category: self._model_ids[category] for category in sorted(self._sums)}
        means = {category: self._sums[category] / len(ids[category]) for category in ids}
        rows = {name: _row(means[name], len(set(ids[name])), len(ids[name])) for name in ids}
        rows["mean"] = _row(
            np.mean(list(means.values()), axis=0),
            sum(row["num_shapes"] for row in rows.values()),
            sum(row["num_views"] for row in rows.values()),
        )
        return rows


def _row(mean: np.ndarray, num_shapes: float, num_views: float) -> dict[str, float | int]:
    """Return a row of `ReconstructionScores.result` from means [2 + T]."""
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


def _iou_curve(every: np.ndarray, occupied: np.ndarray) -> np.ndarray:
    """Compute the IoU at each of `THRESHOLDS`, [T], from the same ascending scores."""
    thresholds = THRESHOLDS.astype(every.dtype)
    predicted = every.size - np.searchsorted(every, thresholds, side="right")
    intersection = occupied.size - np.searchsorted(occupied, thresholds, side="right")
    return intersection / (predicted + occupied.size - intersection)


def _per_example(
    score_example: Callable[[np.ndarray, np.ndarray], np.ndarray | np.floating],
    scores: np.ndarray,
    truth: np.ndarray,
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

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # NumPy's sorts release the GIL.
        return np.stack(list(pool.map(run, range(len(scores)))))


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
