"""Report of a sweep: a table, TensorBoard's HParams tab and a picture."""

import csv
import os
import pathlib
import shutil
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from matplotlib import ticker
from matplotlib.figure import Figure
from tensorboard.plugins.hparams import api as hparams

from ptn_semi.sweeps.search_space import OBJECTIVE
from ptn_semi.utils import files

_NOT_SETTINGS = ("trial", "status", "steps", "message", OBJECTIVE)


def write(rows: Sequence[dict[str, Any]], folder: pathlib.Path) -> dict[str, Any] | None:
    """Write trials.csv, tensorboard/ and trials.png; return the best row, if one has a score.

    Each row, as of `Tuner.rows`, has a trial's settings and its score, None if it has none.
    """
    with (
        files.replacing(folder / "trials.csv") as partial,
        open(partial, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["trial"])
        writer.writeheader()
        writer.writerows(rows)
    names = [name for name in rows[0] if name not in _NOT_SETTINGS] if rows else []
    scored = [row for row in rows if row[OBJECTIVE] is not None]
    _hparams(scored, folder / "tensorboard", names)
    if not scored:
        return None
    best = max(scored, key=lambda row: row[OBJECTIVE])
    _picture(scored, folder / "trials.png", names, best)
    return best


def _hparams(rows: Sequence[dict[str, Any]], folder: pathlib.Path, names: Sequence[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for row in rows:
        with tf.summary.create_file_writer(os.fspath(folder / row["trial"])).as_default():
            hparams.hparams({name: row[name] for name in names}, trial_id=row["trial"])
            tf.summary.scalar(OBJECTIVE, row[OBJECTIVE], row["steps"])


def _picture(
    rows: Sequence[dict[str, Any]], path: pathlib.Path, names: Sequence[str], best: dict[str, Any]
) -> None:
    """Plot the scores against each setting, in a panel each; longer trainings are darker."""
    figure = Figure(figsize=(1 + 2.6 * len(names), 3), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)
    longest = max(row["steps"] for row in rows)
    for axes, name in zip(panels[0], names, strict=True):
        for row in rows:
            color = "#d98a2b" if row is best else "#2f6db3"
            alpha = 0.25 + 0.75 * row["steps"] / longest
            axes.plot(row[name], row[OBJECTIVE], "o", color=color, alpha=alpha)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
        axes.set_xlabel(name)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel(f"validation {OBJECTIVE}")
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=120)
