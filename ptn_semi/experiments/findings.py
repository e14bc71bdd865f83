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
_FEW_LABELS = "5. with 1 % posed, fine-tuning is best"
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
    for share in statistics.pose_fractions(figure4):
        found = statistics.differences(figure4, "P+U", "P", pose_fraction=share)
        yield _MASKS, f"P+U − P, {percent(share)} posed", found
    yield _POSES, "S,P+U − S,U", statistics.differences(table3, "S,P+U", "S,U")
    for category in statistics.in_order(table2, "category"):
        pair = "category-agnostic", "per category"
        found = statistics.differences(table2, *pair, category=category)
        yield _TOGETHER, f"{' − '.join(pair)}, {category}", found
    for category in statistics.in_order(figure5, "category"):
        for pair in _TRANSFERRED:
            found = statistics.differences(figure5, *pair, category=category)
            yield _TRANSFER, f"{' − '.join(pair)}, {category}", found
    for pair in _WITH_FEW_LABELS:
        yield _FEW_LABELS, " − ".join(pair), statistics.differences(table3, *pair)
