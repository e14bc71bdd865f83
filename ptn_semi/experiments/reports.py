"""Tables and figures in the paper's layout, drawn from the results alone."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ptn_semi.experiments.matrix import PROCEDURAL, percent
from ptn_semi.utils import files

_Entries = Sequence[Mapping[str, Any]]  # as in `jobs.results`

_AP, _IOU = "average_precision", "max_iou_of_mean"
# Scores that the paper and its authors' code (github.com/stevenygd/3d-recon) state.
# MaxIoU and AP of the models that the code publishes, 50 % posed.
_PUBLISHED = {"airplane": (0.484, 0.638), "car": (0.742, 0.870), "chair": (0.446, 0.570)}
# IoU and AP of table 2's category-agnostic model.
_TABLE2 = {"airplane": (0.57, 0.73), "car": (0.78, 0.93), "chair": (0.44, 0.57)}
_TABLE3 = {"S,P": 0.380, "S,U": 0.218, "S,P+U": 0.416}  # IoU
_TITLES = {
    "table1": "Table 1: one category, 50 % posed",
    "figure4": "Figure 4: pose share, one category",
    "table2": "Table 2: one model of all categories against one for each, 50 % posed",
    "figure5": "Figure 5: few-shot transfer to new categories",
    "table3": "Table 3: 1 % posed",
}
_COLORS = {
    "P+U": "#2f6db3",
    "P": "#d98a2b",
    "U": "#7a7f87",
    PROCEDURAL: "#3f8f5f",
    "fine-tuning, P+U": "#2f6db3",
    "fine-tuning, P": "#8fb6dd",
    "out-of-category": "#d98a2b",
    "from scratch, P+U": "#4f5358",
    "from scratch, P": "#a9adb3",
}


def write(results: Mapping[str, Any], folder: str | os.PathLike) -> pathlib.Path:
    """Write report.md and the figures (PNG and SVG) of all experiments that have results.

    Args:
      results: the content of `results.json`.
      folder: the folder to write to.

    Returns:
      The report's path.

    Raises:
      UserError: if a file cannot be written.
    """
    folder = pathlib.Path(folder)
    makers = {
        "table1": _table1,
        "figure4": _figure4,
        "table2": _table2,
        "figure5": _figure5,
        "table3": _table3,
    }
    parts = [_preface(results)]
    for name, make in makers.items():
        entries = [entry for entry in results["entries"] if entry["experiment"] == name]
        if entries:
            parts += [f"## {_TITLES[name]}", make(entries, folder)]
    path = folder / "report.md"
    with files.replacing(path) as partial:
        partial.write_text("\n\n".join(parts) + "\n")
    return path


def _preface(results: Mapping[str, Any]) -> str:
    lines = [
        "# The paper's experiments",
        f"Scale `{results['scale']}`: {results['purpose']}. Recipe `{results['recipe']}.flags`, "
        f"data set `{results['dataset']}`.",
        "Scores are MaxIoU / AP on test shapes, with MaxIoU at the best single threshold. They are "
        "means ± standard errors over seeds. `mean shape` always answers with the category's mean "
        "training shape. The paper's numbers come from other shapes (all of ShapeNet), larger "
        "networks and longer training.",
    ]
    if results["missing"]:
        lines.append(f"Categories of the paper that are missing: {', '.join(results['missing'])}.")
    if results["unfinished"]:
        lines.append(f"Not finished yet: {results['unfinished']} runs.")
    return "\n\n".join(lines)


def _values(entries: _Entries, name: str = _AP, **where: Any) -> np.ndarray:
    """Return the scores [seeds] of the entries with these fields."""
    return np.array(
        [entry[name] for entry in entries if all(entry[key] == where[key] for key in where)]
    )


def _error(values: np.ndarray) -> float | None:
    """Return the standard error of the mean, or None for fewer than two values."""
    return np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None


def _text(values: np.ndarray) -> str:
    """Format the mean ± standard error, without the zero before the point."""
    if not len(values):
        return "–"
    error = _error(values)
    text = f"{np.mean(values):.3f}" + ("" if error is None else f" ± {error:.3f}")
    return text.replace("0.", ".")


def _cell(entries: _Entries, **where: Any) -> str:
    iou, precision = (_values(entries, name, **where) for name in (_IOU, _AP))
    return f"{_text(iou)} / {_text(precision)}" if len(iou) else "–"


def _floor(entries: _Entries, **where: Any) -> str:
    iou, precision = (_values(entries, f"mean_shape_{name}", **where)[:1] for name in (_IOU, _AP))
    return f"{_text(iou)} / {_text(precision)}"


def _stated(pair: Sequence[float] | None) -> str:
    return " / ".join(f"{value:g}".replace("0.", ".") for value in pair) if pair else "–"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _in_order(entries: _Entries, key: str) -> list[str]:
    """Return the different values of a field, in the order of the entries."""
    return list(dict.fromkeys(entry[key] for entry in entries))


def _by_category(entries: _Entries, rows: Sequence[tuple[str, Callable[[str], str]]]) -> str:
    """Return a table with a column per category; rows are (title, function of the category)."""
    categories = _in_order(entries, "category")
    return _markdown(
        ["MaxIoU / AP", *categories],
        [[title, *(cell(category) for category in categories)] for title, cell in rows],
    )


def _table1(entries: _Entries, folder: pathlib.Path) -> str:
    return _by_category(
        entries,
        [
            ("this package, P+U", lambda category: _cell(entries, category=category)),
            ("authors' code, as published", lambda category: _stated(_PUBLISHED.get(category))),
            ("mean shape", lambda category: _floor(entries, category=category)),
        ],
    )


def _table2(entries: _Entries, folder: pathlib.Path) -> str:
    models = "per category", "category-agnostic"
    ours = [
        (model, lambda category, model=model: _cell(entries, category=category, model=model))
        for model in models
    ]
    return _by_category(
        entries,
        [
            *ours,
            ("the paper's, category-agnostic", lambda category: _stated(_TABLE2.get(category))),
            ("mean shape", lambda category: _floor(entries, category=category)),
        ],
    )


def _table3(entries: _Entries, folder: pathlib.Path) -> str:
    rows = [
        [model, _cell(entries, model=model), _stated((_TABLE3[model],) if model in _TABLE3 else ())]
        for model in _in_order(entries, "model")
    ]
    rows.append(["mean shape", _floor(entries), "–"])
    return (
        _markdown(["", "MaxIoU / AP", "the paper's IoU"], rows)
        + "\n\nS: one category; P: posed pairs; U: unlabeled masks; procedural: shapes made by a "
        "program in place of posed ones; M: all categories; FT: M fine-tuned (P as in the paper, G "
        "alone on the posed pairs; P+U all networks). In the paper M and FT are better than S, and "
        "FT is best. Reconstructions of S,U are all turned about the vertical axis by one angle, "
        "the best on the validation split."
    )


def _figure4(entries: _Entries, folder: pathlib.Path) -> str:
    shares = sorted({entry["pose_fraction"] for entry in entries} - {0.0})
    models = [model for model in ("P+U", "P") if len(_values(entries, model=model))]
    poseless = [model for model in ("U", PROCEDURAL) if len(_values(entries, model=model))]
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes = figure.subplots()
    for model in models:
        _line(axes, entries, shares, model, model=model)
    for model in poseless:
        score = _values(entries, model=model).mean()
        axes.axhline(score, color=_COLORS[model], linestyle="--", label=f"{model} (0 % posed)")
    _finish(axes, shares, entries, f"{entries[0]['category']}, share of shapes posed")
    _save(figure, folder, "figure4")
    rows = [
        [percent(share), *(_cell(entries, model=m, pose_fraction=share) for m in models)]
        for share in shares
    ]
    table = _markdown(["posed, MaxIoU / AP", *models], rows)
    if "U" in poseless:
        table += (
            f"\n\nU, trained without viewpoints: {_cell(entries, model='U')}. Its shapes are all "
            "turned about the vertical axis by one angle, the best on the validation split."
        )
    if PROCEDURAL in poseless:
        table += (
            f"\n\n{PROCEDURAL}, trained on the same masks and on procedural shapes, whose "
            f"viewpoints are known: {_cell(entries, model=PROCEDURAL)}. No shape of the data set "
            "is posed."
        )
    return f"![Figure 4](figure4.svg)\n\n{table}\n\nMean shape: {_floor(entries)}."


def _figure5(entries: _Entries, folder: pathlib.Path) -> str:
    categories = _in_order(entries, "category")
    models = _in_order(entries, "model")
    shares = sorted({entry["pose_fraction"] for entry in entries})
    figure = Figure(figsize=(1 + 3.6 * len(categories), 3.6), layout="constrained")
    panels = figure.subplots(1, len(categories), squeeze=False)
    rows = []
    for axes, category in zip(panels[0], categories, strict=True):
        chosen = [entry for entry in entries if entry["category"] == category]
        for model in models:
            _line(axes, chosen, shares, model, model=model)
        _finish(axes, shares, chosen, "share posed in pre-training")
        axes.set_title(category)
        rows += [
            [category, percent(share)]
            + [_cell(chosen, model=model, pose_fraction=share) for model in models]
            for share in shares
        ]
        rows.append([category, "mean shape", _floor(chosen), *[""] * (len(models) - 1)])
    _save(figure, folder, "figure5")
    header = ["MaxIoU / AP", "posed in pre-training", *models]
    return f"![Figure 5](figure5.svg)\n\n{_markdown(header, rows)}"


def _line(axes: Axes, entries: _Entries, shares: Sequence[float], label: str, **where: Any) -> None:
    """Plot the mean AP against the pose fraction, with standard errors over several seeds."""
    points = [_values(entries, pose_fraction=share, **where) for share in shares]
    known = [(share, values) for share, values in zip(shares, points, strict=True) if len(values)]
    axes.errorbar(
        [share for share, _ in known],
        [values.mean() for _, values in known],
        [_error(values) or 0 for _, values in known],
        marker="o",
        markersize=4,
        capsize=3,
        color=_COLORS[label],
        label=label,
    )


def _finish(axes: Axes, shares: Sequence[float], entries: _Entries, label: str) -> None:
    """Add the score of the mean shape, the axes' labels and a legend."""
    floor = _values(entries, f"mean_shape_{_AP}")[0]
    axes.axhline(floor, color="#bbbbbb", linewidth=1, linestyle=":", label="mean shape")
    axes.set_xscale("log")
    axes.set_xticks(shares, [percent(share) for share in shares])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("test AP")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _save(figure: Figure, folder: pathlib.Path, name: str) -> None:
    # Dates and random ids are left out, so that the same results give the same files.
    with matplotlib.rc_context({"svg.hashsalt": name}):
        for suffix, metadata in ((".png", {}), (".svg", {"Date": None})):
            with files.replacing(folder / f"{name}{suffix}") as partial:
                figure.savefig(partial, format=suffix[1:], dpi=150, metadata=metadata)
