"""Tables and figures in the paper's layout, from the results alone."""

import pathlib

import matplotlib
import numpy as np

from ptn_semi.experiments.matrix import percent
from ptn_semi.utils import files

matplotlib.use("agg")

from matplotlib import pyplot as plt

_AP, _IOU = "average_precision", "max_iou_of_mean"
# What is known of the paper's and of its authors' code's scores (github.com/stevenygd/3d-recon):
# MaxIoU, AP of its published models, 50 % posed.
_PUBLISHED = {"airplane": (0.484, 0.638), "car": (0.742, 0.870), "chair": (0.446, 0.570)}
# IoU, AP of table 2's category-agnostic model.
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
    "fine-tuning": "#2f6db3",
    "out-of-category": "#d98a2b",
    "from scratch": "#7a7f87",
}


def write(results, folder):
    """Writes report.md and the figures (PNG and SVG) of all experiments that have results.

    Args:
      results: what `results.json` holds.
      folder: to write to.

    Returns:
      The report's path.
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


def _preface(results):
    lines = [
        "# The paper's experiments",
        f"Scale `{results['scale']}`: {results['purpose']}. Recipe `{results['recipe']}.flags`, "
        f"data set `{results['dataset']}`.",
        "MaxIoU / AP of test shapes, MaxIoU at the best single threshold; mean ± standard error "
        "over seeds. `mean shape` is a category's mean training shape as a constant answer. The "
        "paper's numbers are of other shapes (all of ShapeNet), larger networks, longer training.",
    ]
    if results["missing"]:
        lines.append(
            f"Categories of the paper's that are missing: {', '.join(results['missing'])}."
        )
    if results["unfinished"]:
        lines.append(f"Not finished yet: {results['unfinished']} runs.")
    return "\n\n".join(lines)


def _values(entries, name=_AP, **where):
    """Scores [seeds] of the entries that have these fields."""
    return np.array(
        [entry[name] for entry in entries if all(entry[key] == where[key] for key in where)]
    )


def _error(values):
    """Standard error of the mean; None of fewer than two."""
    return np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None


def _text(values):
    """Mean ± standard error, without the zero before the point."""
    if not len(values):
        return "–"
    error = _error(values)
    text = f"{np.mean(values):.3f}" + ("" if error is None else f" ± {error:.3f}")
    return text.replace("0.", ".")


def _cell(entries, **where):
    iou, precision = (_values(entries, name, **where) for name in (_IOU, _AP))
    return f"{_text(iou)} / {_text(precision)}" if len(iou) else "–"


def _floor(entries, **where):
    iou, precision = (_values(entries, f"mean_shape_{name}", **where)[:1] for name in (_IOU, _AP))
    return f"{_text(iou)} / {_text(precision)}"


def _stated(pair):
    return " / ".join(f"{value:g}".replace("0.", ".") for value in pair) if pair else "–"


def _markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _in_order(entries, key):
    return list(dict.fromkeys(entry[key] for entry in entries))


def _by_category(entries, rows):
    """A table with a column per category; rows are (title, what gives the cell of a category)."""
    categories = _in_order(entries, "category")
    return _markdown(
        ["MaxIoU / AP", *categories],
        [[title, *(cell(category) for category in categories)] for title, cell in rows],
    )


def _table1(entries, folder):
    return _by_category(
        entries,
        [
            ("this package, P+U", lambda category: _cell(entries, category=category)),
            ("authors' code, as published", lambda category: _stated(_PUBLISHED.get(category))),
            ("mean shape", lambda category: _floor(entries, category=category)),
        ],
    )


def _table2(entries, folder):
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


def _table3(entries, folder):
    rows = [
        [model, _cell(entries, model=model), _stated((_TABLE3[model],) if model in _TABLE3 else ())]
        for model in _in_order(entries, "model")
    ]
    rows.append(["mean shape", _floor(entries), "–"])
    return (
        _markdown(["", "MaxIoU / AP", "the paper's IoU"], rows)
        + "\n\nS: one category; P: posed pairs; U: unlabeled masks; M: all categories; FT: M "
        "fine-tuned. The paper has M and FT above S, and FT best. Reconstructions of S,U are "
        "turned by the one angle about the vertical axis that suits validation best."
    )


def _figure4(entries, folder):
    shares = sorted({entry["pose_fraction"] for entry in entries} - {0.0})
    models = [model for model in ("P+U", "P") if len(_values(entries, model=model))]
    unlabeled = _values(entries, model="U")
    figure, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
    for model in models:
        _line(axes, entries, shares, model, model=model)
    if len(unlabeled):
        axes.axhline(unlabeled.mean(), color=_COLORS["U"], linestyle="--", label="U (0 % posed)")
    _finish(axes, shares, entries, f"{entries[0]['category']}, share of shapes posed")
    _save(figure, folder, "figure4")
    rows = [
        [percent(share), *(_cell(entries, model=m, pose_fraction=share) for m in models)]
        for share in shares
    ]
    table = _markdown(["posed, MaxIoU / AP", *models], rows)
    if len(unlabeled):
        table += (
            f"\n\nU, without any viewpoint: {_cell(entries, model='U')}, turned by the one angle "
        )
        table += "about the vertical axis that suits validation best."
    return f"![Figure 4](figure4.svg)\n\n{table}\n\nMean shape: {_floor(entries)}."


def _figure5(entries, folder):
    categories = _in_order(entries, "category")
    models = _in_order(entries, "model")
    shares = sorted({entry["pose_fraction"] for entry in entries})
    figure, panels = plt.subplots(
        1,
        len(categories),
        figsize=(1 + 3.6 * len(categories), 3.6),
        layout="constrained",
        squeeze=False,
    )
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


def _line(axes, entries, shares, label, **where):
    """Mean AP over the pose share, with standard errors where there are several seeds."""
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


def _finish(axes, shares, entries, label):
    floor = _values(entries, f"mean_shape_{_AP}")[0]
    axes.axhline(floor, color="#bbbbbb", linewidth=1, linestyle=":", label="mean shape")
    axes.set_xscale("log")
    axes.set_xticks(shares, [percent(share) for share in shares])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("test AP")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _save(figure, folder, name):
    # Without date and random ids, so that the same results make the same files.
    with plt.rc_context({"svg.hashsalt": name}):
        for suffix, metadata in ((".png", {}), (".svg", {"Date": None})):
            with files.replacing(folder / f"{name}{suffix}") as partial:
                figure.savefig(partial, format=suffix[1:], dpi=150, metadata=metadata)
    plt.close(figure)
