"""Scores of the experiments' entries, over their seeds.

`where` names fields of entries and the values that they must have.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ptn_semi.experiments.matrix import OUT_OF_CATEGORY

Entries = Sequence[Mapping[str, Any]]  # as in `jobs.results`

AP, IOU = "average_precision", "max_iou_of_mean"
# Predictions that learn hardly anything from the mask, by their names in the entries.
BASELINES = {"mean_hull": "mean hull", "nearest": "nearest", "mean_shape": "mean shape"}


def select(entries: Entries, **where: Any) -> Entries:
    """Return the entries whose fields have the values in `where`."""
    return [entry for entry in entries if all(entry[key] == where[key] for key in where)]


def in_order(entries: Entries, key: str) -> list[Any]:
    """Return the different values of a field, in the order of the entries."""
    return list(dict.fromkeys(entry[key] for entry in entries))


def pose_fractions(entries: Entries) -> list[float]:
    """Return the different pose fractions above 0, in ascending order."""
    return sorted({entry["pose_fraction"] for entry in entries} - {0.0})


def values(entries: Entries, name: str = AP, **where: Any) -> np.ndarray:
    """Return a score of the selected entries that have it, [seeds]."""
    return np.array([entry[name] for entry in select(entries, **where) if name in entry])


def baseline_values(entries: Entries, baseline: str, name: str = AP, **where: Any) -> np.ndarray:
    """Return the different scores of a baseline, the same for all models with the same labels.

    Returns:
      Array [label sets], one value for each seed's labels; a single one for "mean_shape".
    """
    with_labels = [entry for entry in entries if entry["model"] != OUT_OF_CATEGORY]
    return np.unique(values(with_labels, f"{baseline}_{name}", **where))


def differences(entries: Entries, model: str, rival: str, **where: Any) -> np.ndarray:
    """Return how much higher a model's AP is than a rival's, seed by seed.

    Returns:
      Array [seeds], for the seeds that both have; means over all entries of a seed.
    """
    pairs = [
        [values(entries, model=name, seed=seed, **where) for name in (model, rival)]
        for seed in sorted(in_order(entries, "seed"))
    ]
    return np.array([a.mean() - b.mean() for a, b in pairs if len(a) and len(b)])
