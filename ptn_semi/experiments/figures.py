"""The figures of the paper's experiments: test AP against the share of labeled shapes.

Each is written to a folder as PNG and SVG; a file that cannot be written raises a `UserError`.
"""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ptn_semi.experiments import statistics
from ptn_semi.experiments.matrix import OUT_OF_CATEGORY, PROCEDURAL, percent
from ptn_semi.experiments.statistics import BASELINES, Entries
from ptn_semi.utils import files

_COLORS = {
    "P+U": "#2f6db3",
    "P": "#d98a2b",
    "U": "#7a7f87",
    PROCEDURAL: "#3f8f5f",
    "fine-tuning, P+U": "#2f6db3",
    "fine-tuning, P": "#8fb6dd",
    OUT_OF_CATEGORY: "#d98a2b",
    "from scratch, P+U": "#4f5358",
    "from scratch, P": "#a9adb3",
}
_BASELINE_STYLES = {"mean_hull": "-.", "nearest": "--", "mean_shape": ":"}


def draw_figure4(entries: Entries, folder: str | os.PathLike) -> None:
    """Draw figure4.png and figure4.svg: models of one category."""
    shares = statistics.pose_fractions(entries)
    figure = Figure(figsize=(6.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for model in ("P+U", "P"):
        _draw_model(axes, entries, shares, model)
    for model in ("U", PROCEDURAL):
        scores = statistics.values(entries, model=model)
        if len(scores):
            label = f"{model} (0 % labeled)"
            axes.axhline(scores.mean(), color=_COLORS[model], linestyle="--", label=label)
    for baseline in BASELINES:
        points = [
            statistics.baseline_values(entries, baseline, pose_fraction=share) for share in shares
        ]
        _draw_baseline(axes, baseline, shares, points)
    _label_axes(axes, shares, f"{entries[0]['category']}, share of shapes labeled")
    _draw_legend(axes)
    _save(figure, folder, "figure4")


def draw_figure5(entries: Entries, folder: str | os.PathLike) -> None:
    """Draw figure5.png and figure5.svg: transfer to new categories, one panel for each."""
    categories = statistics.in_order(entries, "category")
    shares = statistics.pose_fractions(entries)
    figure = Figure(figsize=(2.6 + 3.6 * len(categories), 3.6), layout="constrained")
    panels = figure.subplots(1, len(categories), squeeze=False)
    for axes, category in zip(panels[0], categories, strict=True):
        chosen = statistics.select(entries, category=category)
        for model in statistics.in_order(entries, "model"):
            _draw_model(axes, chosen, shares, model)
        for baseline in BASELINES:
            scores = statistics.baseline_values(chosen, baseline)
            _draw_baseline(axes, baseline, shares, [scores] * len(shares))
        _label_axes(axes, shares, "share labeled in pre-training")
        axes.set_title(category)
    _draw_legend(panels[0, -1])
    _save(figure, folder, "figure5")


def _draw_model(axes: Axes, entries: Entries, shares: Sequence[float], model: str) -> None:
    """Plot a model's mean AP, with standard errors over several seeds."""
    points = [statistics.values(entries, model=model, pose_fraction=share) for share in shares]
    errors = [scipy.stats.sem(scores) if len(scores) > 1 else 0 for scores in points if len(scores)]
    if errors:
        found, means = _means(shares, points)
        style: dict[str, Any] = {"marker": "o", "markersize": 4, "capsize": 3}
        axes.errorbar(found, means, errors, label=model, color=_COLORS[model], **style)


def _draw_baseline(
    axes: Axes, baseline: str, shares: Sequence[float], points: Sequence[np.ndarray]
) -> None:
    if any(map(len, points)):
        axes.plot(
            *_means(shares, points),
            linestyle=_BASELINE_STYLES[baseline],
            linewidth=1,
            color="#999999",
            label=BASELINES[baseline],
        )


def _means(shares: Sequence[float], points: Sequence[np.ndarray]) -> tuple[list, list]:
    """Return the shares that have scores, and the means of these."""
    known = [(share, scores) for share, scores in zip(shares, points, strict=True) if len(scores)]
    return [share for share, _ in known], [scores.mean() for _, scores in known]


def _label_axes(axes: Axes, shares: Sequence[float], label: str) -> None:
    axes.set_xscale("log")
    axes.set_xticks(shares, [percent(share) for share in shares])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("test AP")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _save(figure: Figure, folder: str | os.PathLike, name: str) -> None:
    # Dates and random ids are left out, so that the same results give the same files.
    with matplotlib.rc_context({"svg.hashsalt": name}):
        for suffix, metadata in ((".png", {}), (".svg", {"Date": None})):
            with files.replacing(pathlib.Path(folder) / f"{name}{suffix}") as partial:
                figure.savefig(partial, format=suffix[1:], dpi=150, metadata=metadata)
