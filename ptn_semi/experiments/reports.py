"""Tables and figures in the paper's layout, made from the results alone."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats

from ptn_semi.evaluation.metrics import WRITTEN
from ptn_semi.experiments import figures, findings, statistics
from ptn_semi.experiments.matrix import PROCEDURAL, percent
from ptn_semi.experiments.statistics import BASELINES, Entries
from ptn_semi.utils import files

_SCORES = statistics.IOU, statistics.AP
# Scores that the paper and its authors' code (github.com/stevenygd/3d-recon) state.
# MaxIoU and AP of the models that the code publishes, 50 % labeled.
_TABLE1 = {"airplane": (0.484, 0.638), "car": (0.742, 0.870), "chair": (0.446, 0.570)}
# IoU and AP of table 2's category-agnostic model.
_TABLE2 = {"airplane": (0.57, 0.73), "car": (0.78, 0.93), "chair": (0.44, 0.57)}
_TABLE3 = {"S,P": (0.380,), "S,U": (0.218,), "S,P+U": (0.416,)}  # IoU


def write(results: Mapping[str, Any], folder: str | os.PathLike) -> pathlib.Path:
    """Write report.md and the figures (PNG and SVG) of `results.json`; return the report's path.

    Raises:
      UserError: if a file cannot be written.
    """
    folder = pathlib.Path(folder)
    sections = {
        "Table 1: one category, 50 % labeled": _table1,
        "Figure 4: pose share, one category": _figure4,
        "Table 2: one model of all categories against one for each, 50 % labeled": _table2,
        "Figure 5: few-shot transfer to new categories": _figure5,
        "Table 3: 1 % labeled": _table3,
    }
    parts = [_preface(results)]
    for title, make in sections.items():
        name = make.__name__.removeprefix("_")
        entries = statistics.select(results["entries"], experiment=name)
        if entries:
            parts += [f"## {title}", make(entries, folder)]
    parts += _written(results["entries"]) + _findings(results["entries"])
    path = folder / "report.md"
    with files.replacing(path) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _preface(results: Mapping[str, Any]) -> str:
    lines = [
        "# The paper's experiments",
        f"Scale `{results['scale']}`: {results['purpose']}. Recipe `{results['recipe']}.flags`, "
        f"data set `{results['dataset']}`.",
        "Scores are MaxIoU / AP on test shapes, with MaxIoU at the best single threshold. They are "
        "means ± standard errors over seeds. The paper's numbers come from other shapes (all of "
        "ShapeNet), larger networks and longer training.",
        "Below the models are baselines, predictions that learn hardly anything from the mask. "
        "`mean hull` is the mean visual hull of the category's labeled shapes, whatever the mask; "
        "`nearest` is the mean hull of the five labeled masks that are most like the mask. `mean "
        "shape` is an oracle, the mean of the true voxels of all training shapes.",
    ]
    if results["missing"]:
        lines.append(f"Categories of the paper that are missing: {', '.join(results['missing'])}.")
    if results["unfinished"]:
        lines.append(f"Not finished yet: {results['unfinished']} runs.")
    return "\n\n".join(lines)


def _cell(entries: Entries, **where: Any) -> str:
    """Format MaxIoU / AP of the selected entries."""
    return _pair(*(statistics.values(entries, name, **where) for name in _SCORES))


def _baseline_cell(entries: Entries, baseline: str, **where: Any) -> str:
    """Format MaxIoU / AP of a baseline."""
    return _pair(
        *(statistics.baseline_values(entries, baseline, name, **where) for name in _SCORES)
    )


def _pair(*scores: np.ndarray) -> str:
    """Format means ± standard errors, without the zero before the point."""
    if not len(scores[0]):
        return "–"
    errors = (f" ± {scipy.stats.sem(found):.3f}" if len(found) > 1 else "" for found in scores)
    means = (f"{found.mean():.3f}{error}" for found, error in zip(scores, errors, strict=True))
    return " / ".join(means).replace("0.", ".")


def _published(scores: Sequence[float]) -> str:
    """Format scores that the paper or its code states."""
    return " / ".join(f"{score:g}".replace("0.", ".") for score in scores) or "–"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _by_category(entries: Entries, models: Mapping[str, str], published: str, scores: dict) -> str:
    """Return a table with a column per category, and rows for models and published scores."""
    categories = statistics.in_order(entries, "category")
    rows = [
        [title, *(_cell(entries, category=category, model=model) for category in categories)]
        for model, title in models.items()
    ]
    rows.append([published, *(_published(scores.get(category, ())) for category in categories)])
    rows += [
        [title, *(_baseline_cell(entries, name, category=category) for category in categories)]
        for name, title in BASELINES.items()
    ]
    return _markdown(["MaxIoU / AP", *categories], rows)


def _table1(entries: Entries, folder: pathlib.Path) -> str:
    models = {"P+U": "this package, P+U"}
    return _by_category(entries, models, "authors' code, as published", _TABLE1)


def _table2(entries: Entries, folder: pathlib.Path) -> str:
    models = {name: name for name in ("per category", "category-agnostic")}
    return _by_category(entries, models, "the paper's, category-agnostic", _TABLE2)


def _table3(entries: Entries, folder: pathlib.Path) -> str:
    rows = [
        [model, _cell(entries, model=model), _published(_TABLE3.get(model, ()))]
        for model in statistics.in_order(entries, "model")
    ]
    rows += [[title, _baseline_cell(entries, name), "–"] for name, title in BASELINES.items()]
    return (
        _markdown(["", "MaxIoU / AP", "the paper's IoU"], rows)
        + "\n\nS: one category; P: labeled pairs; U: unlabeled masks; procedural: shapes made by a "
        "program in place of labeled ones; M: all categories; FT: M fine-tuned (P as in the paper, "
        "G alone on the labeled pairs; P+U all networks). In the paper M and FT are better than S, "
        "and FT is best. Reconstructions of S,U are all turned about the vertical axis by one angle"
        ", the best on the validation split."
    )


def _figure4(entries: Entries, folder: pathlib.Path) -> str:
    figures.draw_figure4(entries, folder)
    rows = [
        [percent(share)]
        + [_cell(entries, model=model, pose_fraction=share) for model in ("P+U", "P")]
        + [_baseline_cell(entries, name, pose_fraction=share) for name in ("mean_hull", "nearest")]
        for share in statistics.pose_fractions(entries)
    ]
    parts = [
        "![Figure 4](figure4.svg)",
        _markdown(["labeled, MaxIoU / AP", "P+U", "P", "mean hull", "nearest"], rows),
    ]
    models = statistics.in_order(entries, "model")
    if "U" in models:
        parts.append(
            f"U, trained without viewpoints: {_cell(entries, model='U')}. Its shapes are all "
            "turned about the vertical axis by one angle, the best on the validation split."
        )
    if PROCEDURAL in models:
        parts.append(
            f"{PROCEDURAL}, trained on the same masks and on procedural shapes, whose viewpoints "
            f"are known: {_cell(entries, model=PROCEDURAL)}. No shape of the data set is labeled."
        )
    parts.append(f"Mean shape: {_baseline_cell(entries, 'mean_shape')}.")
    return "\n\n".join(parts)


def _figure5(entries: Entries, folder: pathlib.Path) -> str:
    figures.draw_figure5(entries, folder)
    models = statistics.in_order(entries, "model")
    rows = []
    for category in statistics.in_order(entries, "category"):
        chosen = statistics.select(entries, category=category)
        rows += [
            [category, percent(share)]
            + [_cell(chosen, model=model, pose_fraction=share) for model in models]
            for share in statistics.pose_fractions(entries)
        ]
        rows += [
            [category, title, _baseline_cell(chosen, name), *[""] * (len(models) - 1)]
            for name, title in BASELINES.items()
        ]
    header = ["MaxIoU / AP", "labeled in pre-training", *models]
    return f"![Figure 5](figure5.svg)\n\n{_markdown(header, rows)}"


def _written(entries: Entries) -> list[str]:
    """Return the section on the shapes as written, if they have been scored."""
    scored = [entry for entry in entries if "written_iou" in entry]
    keys = "experiment", "category", "model", "pose_fraction"
    rows = []
    for found in dict.fromkeys(tuple(entry[key] for key in keys) for entry in scored):
        where = dict(zip(keys, found, strict=True))
        scores = [statistics.values(scored, name, **where) for name in WRITTEN]
        rows.append([*found[:3], percent(found[3]), *(_pair(score) for score in scores)])
    if not rows:
        return []
    header = ["experiment", "category", "model", "labeled", *WRITTEN.values()]
    return [
        "## Shapes as written",
        "Scores of the occupied voxels that are written, one view of each test shape "
        "([definitions](../scores.md)).",
        _markdown(header, rows),
    ]


def _findings(entries: Entries) -> list[str]:
    """Return the section on the paper's findings, if two seeds or more can be compared."""
    rows: list[list[str]] = []
    previous = None
    for finding, compared, found in findings.compare(entries):
        if len(found) < 2:
            continue
        # Student's, for few seeds: 4.3 standard errors for three.
        half = scipy.stats.t.ppf(0.975, len(found) - 1) * scipy.stats.sem(found)
        difference = f"{found.mean():+.3f} ± {half:.3f}".replace("0.", ".").replace("-", "−")
        rows.append(["" if finding == previous else finding, compared, difference])
        previous = finding
    if not rows:
        return []
    return [
        "## The paper's findings",
        "Differences of AP, with 95 % confidence intervals over the seeds (Student's). Models are "
        "compared seed by seed, with the same labels. Where there are several shares of labeled "
        "shapes in pre-training, each seed's mean over them counts.",
        _markdown(["finding", "compared", "difference of AP"], rows),
    ]
