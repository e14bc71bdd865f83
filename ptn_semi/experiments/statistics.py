"""Means and errors over the seeds of the experiments' results."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats

from ptn_semi.experiments.matrix import OUT_OF_CATEGORY

Entries = Sequence[Mapping[str, Any]]  # as in `jobs.results`

AP, IOU = "average_precision", "max_iou_of_mean"
# Answers that learn nothing from the mask, or hardly anything, by their names in the entries.
FLOORS = {"mean_hull": "mean hull", "nearest": "nearest", "mean_shape": "mean shape"}


def values(entries: Entries, name: str = AP, **where: Any) -> np.ndarray:
    """Return a score of the entries with some fields.

    Args:
      entries: entries of one table or figure.
      name: name of the score.
      where: values that fields of the entries must have.

    Returns:
      Array [seeds]. Entries without this score are left out.
    """
    return np.array(
        [
            entry[name]
            for entry in entries
            if name in entry and all(entry[key] == where[key] for key in where)
        ]
    )


def floor_values(entries: Entries, floor: str, name: str = AP, **where: Any) -> np.ndarray:
    """Return the different scores of a floor, the same for all models with the same labels.

    Args:
      entries: entries of one table or figure.
      floor: one of `FLOORS`.
      name: name of the score.
      where: values that fields of the entries must have.

    Returns:
      Array [label sets], one value for each seed's labels; a single one for "mean_shape".
    """
    known = [entry for entry in entries if entry["model"] != OUT_OF_CATEGORY]
    return np.unique(values(known, f"{floor}_{name}", **where))


def standard_error(scores: np.ndarray) -> float | None:
    """Return the standard error of the mean of scores [seeds], or None for fewer than two."""
    return float(scipy.stats.sem(scores)) if len(scores) > 1 else None


def difference(entries: Entries, model: str, rival: str, **where: Any) -> np.ndarray:
    """Return how much higher a model's AP is than a rival's, seed by seed.

    Args:
      entries: entries of one table or figure.
      model: name of the model.
      rival: name of the model that it is compared with.
      where: values that fields of the entries must have.

    Returns:
      Array [seeds], for the seeds that both have; means over all entries of a seed.
    """
    seeds = sorted({entry["seed"] for entry in entries})
    pairs = [
        (
            values(entries, model=model, seed=seed, **where),
            values(entries, model=rival, seed=seed, **where),
        )
        for seed in seeds
    ]
    return np.array(
        [ours.mean() - theirs.mean() for ours, theirs in pairs if len(ours) and len(theirs)]
    )


def interval(scores: np.ndarray) -> float:
    """Return half of the 95 % confidence interval of the mean of at least two scores [seeds].

    It is Student's, for few seeds: 4.3 standard errors for three.
    """
    return float(scipy.stats.t.ppf(0.975, len(scores) - 1) * scipy.stats.sem(scores))


def in_order(entries: Entries, key: str) -> list[Any]:
    """Return the different values of a field, in the order of the entries."""
    return list(dict.fromkeys(entry[key] for entry in entries))
