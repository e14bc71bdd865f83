"""Tables and figures in the paper's layout, made from the results alone."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ptn_semi.experiments import figures, findings, statistics
from ptn_semi.experiments.matrix import PROCEDURAL, percent
from ptn_semi.experiments.statistics import FLOORS, Entries
from ptn_semi.utils import files

_SCORES = statistics.IOU, statistics.AP
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
    parts += _findings(results["entries"])
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
        "means ± standard errors over seeds. The paper's numbers come from other shapes (all of "
        "ShapeNet), larger networks and longer training.",
        "Below the models stand answers that learn nothing more. `mean hull` is the mean visual "
        "hull of the category's labeled shapes, whatever the mask; `nearest` is the mean hull of "
        "the five labeled masks that are most like the mask. `mean shape` is an oracle, the mean "
        "of the true voxels of all training shapes.",
    ]
    if results["missing"]:
        lines.append(f"Categories of the paper that are missing: {', '.join(results['missing'])}.")
    if results["unfinished"]:
        lines.append(f"Not finished yet: {results['unfinished']} runs.")
    return "\n\n".join(lines)


def _text(values: np.ndarray) -> str:
    """Format the mean ± standard error, without the zero before the point."""
    if not len(values):
        return "–"
    error = statistics.standard_error(values)
    text = f"{np.mean(values):.3f}" + ("" if error is None else f" ± {error:.3f}")
    return text.replace("0.", ".")


def _cell(entries: Entries, **where: Any) -> str:
    return _pair(*(statistics.values(entries, name, **where) for name in _SCORES))


def _floor(entries: Entries, floor: str, **where: Any) -> str:
    return _pair(*(statistics.floor_values(entries, floor, name, **where) for name in _SCORES))


def _pair(iou: np.ndarray, precision: np.ndarray) -> str:
    return f"{_text(iou)} / {_text(precision)}" if len(iou) else "–"


def _stated(pair: Sequence[float] | None) -> str:
    return " / ".join(f"{value:g}".replace("0.", ".") for value in pair) if pair else "–"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _by_category(entries: Entries, rows: Sequence[tuple[str, Callable[[str], str]]]) -> str:
    """Return a table with a column per category; rows are (title, function of the category)."""
    categories = statistics.in_order(entries, "category")
    return _markdown(
        ["MaxIoU / AP", *categories],
        [[title, *(cell(category) for category in categories)] for title, cell in rows]
        + [
            [title, *(_floor(entries, floor, category=category) for category in categories)]
            for floor, title in FLOORS.items()
        ],
    )


def _table1(entries: Entries, folder: pathlib.Path) -> str:
    return _by_category(
        entries,
        [
            ("this package, P+U", lambda category: _cell(entries, category=category)),
            ("authors' code, as published", lambda category: _stated(_PUBLISHED.get(category))),
        ],
    )


def _table2(entries: Entries, folder: pathlib.Path) -> str:
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
        ],
    )


def _table3(entries: Entries, folder: pathlib.Path) -> str:
    rows = [
        [model, _cell(entries, model=model), _stated((_TABLE3[model],) if model in _TABLE3 else ())]
        for model in statistics.in_order(entries, "model")
    ]
    rows += [[title, _floor(entries, floor), "–"] for floor, title in FLOORS.items()]
    return (
        _markdown(["", "MaxIoU / AP", "the paper's IoU"], rows)
        + "\n\nS: one category; P: posed pairs; U: unlabeled masks; procedural: shapes made by a "
        "program in place of posed ones; M: all categories; FT: M fine-tuned (P as in the paper, G "
        "alone on the posed pairs; P+U all networks). In the paper M and FT are better than S, and "
        "FT is best. Reconstructions of S,U are all turned about the vertical axis by one angle, "
        "the best on the validation split."
    )


def _figure4(entries: Entries, folder: pathlib.Path) -> str:
    figures.draw_figure4(entries, folder)
    rows = [
        [percent(share)]
        + [_cell(entries, model=model, pose_fraction=share) for model in ("P+U", "P")]
        + [_floor(entries, floor, pose_fraction=share) for floor in ("mean_hull", "nearest")]
        for share in sorted({entry["pose_fraction"] for entry in entries} - {0.0})
    ]
    parts = [
        "![Figure 4](figure4.svg)",
        _markdown(["posed, MaxIoU / AP", "P+U", "P", "mean hull", "nearest"], rows),
    ]
    poseless = statistics.in_order(entries, "model")
    if "U" in poseless:
        parts.append(
            f"U, trained without viewpoints: {_cell(entries, model='U')}. Its shapes are all "
            "turned about the vertical axis by one angle, the best on the validation split."
        )
    if PROCEDURAL in poseless:
        parts.append(
            f"{PROCEDURAL}, trained on the same masks and on procedural shapes, whose viewpoints "
            f"are known: {_cell(entries, model=PROCEDURAL)}. No shape of the data set is posed."
        )
    parts.append(f"Mean shape: {_floor(entries, 'mean_shape')}.")
    return "\n\n".join(parts)


def _figure5(entries: Entries, folder: pathlib.Path) -> str:
    figures.draw_figure5(entries, folder)
    models = statistics.in_order(entries, "model")
    rows = []
    for category in statistics.in_order(entries, "category"):
        chosen = [entry for entry in entries if entry["category"] == category]
        rows += [
            [category, percent(share)]
            + [_cell(chosen, model=model, pose_fraction=share) for model in models]
            for share in sorted({entry["pose_fraction"] for entry in entries})
        ]
        rows += [
            [category, title, _floor(chosen, floor), *[""] * (len(models) - 1)]
            for floor, title in FLOORS.items()
        ]
    header = ["MaxIoU / AP", "posed in pre-training", *models]
    return f"![Figure 5](figure5.svg)\n\n{_markdown(header, rows)}"


def _findings(entries: Entries) -> list[str]:
    """Return the section on the paper's findings, if two seeds or more can be compared."""
    rows: list[list[str]] = []
    named = None
    for finding, compared, scores in findings.differences(entries):
        if len(scores) > 1:
            difference = f"{scores.mean():+.3f} ± {statistics.interval(scores):.3f}"
            title = "" if finding == named else finding
            difference = difference.replace("0.", ".").replace("-", "−")
            rows.append([title, compared, difference])
            named = finding
    if not rows:
        return []
    return [
        "## The paper's findings",
        "Differences of AP, with 95 % confidence intervals over the seeds (Student's). Models are "
        "compared seed by seed, with the same labels. Where there are several shares of posed "
        "shapes in pre-training, each seed's mean over them counts.",
        _markdown(["finding", "compared", "difference of AP"], rows),
    ]
