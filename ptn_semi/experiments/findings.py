"""The paper's five findings, as differences of AP between models."""

from collections.abc import Iterator

import numpy as np

from ptn_semi.experiments import statistics
from ptn_semi.experiments.matrix import OUT_OF_CATEGORY, percent
from ptn_semi.experiments.statistics import Entries

# (model, rival) of figure 5 and table 3.
_TRANSFERRED = (
    ("fine-tuning, P", "from scratch, P"),
    ("fine-tuning, P", OUT_OF_CATEGORY),
    ("fine-tuning, P+U", "from scratch, P"),
    ("fine-tuning, P+U", "from scratch, P+U"),
    ("fine-tuning, P+U", OUT_OF_CATEGORY),
)
_WITH_FEW_LABELS = (("FT,P", "S,P"), ("FT,P", "S,P+U"), ("FT,P+U", "S,P+U"), ("FT,P+U", "M"))


def compare(entries: Entries) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield (finding, what is compared, differences of AP [seeds]) for the paper's findings."""
    figure4, table2, figure5, table3 = (
        statistics.select(entries, experiment=name)
        for name in ("figure4", "table2", "figure5", "table3")
    )
    finding = "1. unlabeled masks help, most with few labels"
    for share in statistics.pose_fractions(figure4):
        found = statistics.differences(figure4, "P+U", "P", pose_fraction=share)
        yield finding, f"P+U − P, {percent(share)} labeled", found
    finding = "2. a little pose supervision is worth far more than none"
    yield finding, "S,P+U − S,U", statistics.differences(table3, "S,P+U", "S,U")
    finding = "3. one model of all categories is as good as one for each"
    for category in statistics.in_order(table2, "category"):
        pair = "category-agnostic", "per category"
        found = statistics.differences(table2, *pair, category=category)
        yield finding, f"{' − '.join(pair)}, {category}", found
    finding = "4. fine-tuning beats training from scratch, and the model that it starts from"
    for category in statistics.in_order(figure5, "category"):
        for pair in _TRANSFERRED:
            found = statistics.differences(figure5, *pair, category=category)
            yield finding, f"{' − '.join(pair)}, {category}", found
    finding = "5. with 1 % labeled, fine-tuning is best"
    for pair in _WITH_FEW_LABELS:
        yield finding, " − ".join(pair), statistics.differences(table3, *pair)
