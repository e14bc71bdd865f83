"""The paper's five findings, as differences of AP between models."""

from collections.abc import Iterator

import numpy as np

from ptn_semi.experiments import statistics
from ptn_semi.experiments.matrix import OUT_OF_CATEGORY, percent
from ptn_semi.experiments.statistics import Entries

_MASKS = "1. unlabeled masks help, most with few labels"
_POSES = "2. a little pose supervision is worth far more than none"
_TOGETHER = "3. one model of all categories is as good as one for each"
_TRANSFER = "4. fine-tuning beats training from scratch, and the model that it starts from"
_FEW = "5. with 1 % posed, fine-tuning is best"


def differences(entries: Entries) -> Iterator[tuple[str, str, np.ndarray]]:
    """Compare the models that the paper's findings are about.

    Args:
      entries: entries of all tables and figures.

    Yields:
      (finding, what is compared, differences of AP [seeds]).
    """
    figure4, table2, figure5, table3 = (
        [entry for entry in entries if entry["experiment"] == name]
        for name in ("figure4", "table2", "figure5", "table3")
    )
    for share in sorted({entry["pose_fraction"] for entry in figure4} - {0.0}):
        scores = statistics.difference(figure4, "P+U", "P", pose_fraction=share)
        yield _MASKS, f"P+U − P, {percent(share)} posed", scores
    yield _POSES, "S,P+U − S,U", statistics.difference(table3, "S,P+U", "S,U")
    for category in statistics.in_order(table2, "category"):
        scores = statistics.difference(
            table2, "category-agnostic", "per category", category=category
        )
        yield _TOGETHER, f"category-agnostic − per category, {category}", scores
    for category in statistics.in_order(figure5, "category"):
        for model, rival in (
            ("fine-tuning, P", "from scratch, P"),
            ("fine-tuning, P", OUT_OF_CATEGORY),
            ("fine-tuning, P+U", "from scratch, P"),
            ("fine-tuning, P+U", "from scratch, P+U"),
            ("fine-tuning, P+U", OUT_OF_CATEGORY),
        ):
            scores = statistics.difference(figure5, model, rival, category=category)
            yield _TRANSFER, f"{model} − {rival}, {category}", scores
    for model, rival in (
        ("FT,P", "S,P"),
        ("FT,P", "S,P+U"),
        ("FT,P+U", "S,P+U"),
        ("FT,P+U", "M"),
    ):
        yield _FEW, f"{model} − {rival}", statistics.difference(table3, model, rival)
