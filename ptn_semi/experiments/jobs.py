"""The runs of a matrix on disk: their folders, their commands and their results.

Every run has a folder in `<workdir>/runs`, named by its title and a digest of its settings. It
holds:

  run.flags               the flagfile that the run is trained with
  log.txt                 the output of the commands
  training/               the workdir of `ptn_semi.train`
  <category>.json, .png   the scores that `ptn_semi.evaluate` writes
  run.json                duration of the training; written last
"""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ptn_semi.data import configs
from ptn_semi.evaluation.metrics import WRITTEN
from ptn_semi.experiments import matrix
from ptn_semi.experiments.statistics import BASELINES
from ptn_semi.models import checkpoints
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.utils import files

_FIX = "delete it and run the same command again"
_ENTRY = ("experiment", "model", "category", "pose_fraction", "seed")
_SCORES = ("average_precision", "max_iou_of_mean", "iou_0.4", "iou_0.5")


@dataclasses.dataclass(frozen=True)
class Job:
    """A run with its place on disk."""

    training: matrix.PlannedTraining
    folder: pathlib.Path
    categories: tuple[str, ...]  # on whose test shapes it is scored, sorted
    start: "Job | None"  # whose networks it starts from

    @property
    def workdir(self) -> pathlib.Path:
        """The workdir of `ptn_semi.train`."""
        return self.folder / "training"

    @property
    def record_path(self) -> pathlib.Path:
        """JSON file with the duration of the training."""
        return self.folder / "run.json"

    def scores_path(self, category: str) -> pathlib.Path:
        """Return the JSON file of the scores on a category's test shapes."""
        return self.folder / f"{category}.json"

    @property
    def done(self) -> bool:
        """Whether all results exist."""
        scores = [self.scores_path(category) for category in self.categories]
        return all(path.exists() for path in [*scores, self.record_path])

    @property
    def seconds_left(self) -> float:
        """Expected time until the job is done, in seconds."""
        if self.done:
            return 0
        kept = checkpoints.newest_step(self.workdir / "checkpoints")
        return self.training.seconds * (1 - 0.9 * kept / self.training.schedule.steps)

    @property
    def data_sets(self) -> list[DataSettings]:
        """Settings of the data sets that the job needs."""
        return [self.training.data, *map(self.training.data_of, self.categories)]

    def scores(self, category: str) -> dict[str, Any]:
        """Read the scores that `ptn_semi.evaluate` wrote for a category."""
        return files.read_json(self.scores_path(category), _FIX)

    @property
    def minutes(self) -> float:
        """Duration of the training, once the job is done."""
        return files.read_json(self.record_path, _FIX)["minutes"]

    def write_record(self) -> None:
        """Write the duration of the training, taken from its last checkpoint."""
        minutes = checkpoints.find(self.workdir, "last").progress.minutes
        with files.replacing(self.record_path) as partial:
            partial.write_text(json.dumps({"minutes": minutes}) + "\n", encoding="utf-8")

    def settings(self) -> tuple[DataSettings, TrainSettings, RunSettings]:
        """Return the settings of the training."""
        start = str(self.start.workdir) if self.start else ""
        train = dataclasses.replace(self.training.train, init_from=start)
        return self.training.data, train, self.training.schedule

    def commands(self) -> Iterator[list[str]]:
        """Yield the job's commands, each a list of arguments for `python -m`."""
        flagfile = self.folder / "run.flags"
        yield ["ptn_semi.train", f"--flagfile={flagfile}", f"--workdir={self.workdir}"]
        turned = ["--global_turn", "--checkpoint=last"] if self.training.needs_turn else []
        for category in self.categories:
            yield [
                "ptn_semi.evaluate",
                f"--workdir={self.workdir}",
                "--split=test",
                f"--categories={category}",
                f"--num_shapes={self.training.data_of(category).num_shapes}",
                f"--output={self.scores_path(category)}",
                *turned,
            ]


def plan(
    entries: Iterable[matrix.Entry], workdir: str | os.PathLike
) -> dict[matrix.PlannedTraining, Job]:
    """Plan a job for every run that entries need, in the order in which they should run.

    A job comes after the one that it starts from. The first seed of all entries comes before the
    second, so that early results cover all experiments.
    """
    categories: dict[matrix.PlannedTraining, set[str]] = {}
    for entry in sorted(entries, key=lambda entry: entry.seed):
        if entry.training.start:
            categories.setdefault(entry.training.start, set())
        categories.setdefault(entry.training, set()).add(entry.category)
    jobs: dict[matrix.PlannedTraining, Job] = {}
    for run, scored in categories.items():
        name = re.sub(r"[^\w+.-]+", "_", run.title)
        folder = pathlib.Path(workdir) / "runs" / f"{name}-{_digest(run)}"
        start = jobs.get(run.start) if run.start else None
        jobs[run] = Job(run, folder, tuple(sorted(scored)), start)
    return jobs


@functools.cache
def _digest(run: matrix.PlannedTraining) -> str:
    """Return a digest that is equal for runs with equal results."""
    train, start = dataclasses.asdict(run.train), _digest(run.start) if run.start else None
    schedule = run.schedule.steps, run.schedule.evaluate_every
    text = json.dumps([_data_set_name(run.data), train, *schedule, start], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@functools.cache
def _data_set_name(data: DataSettings) -> str:
    return configs.named_config(data).name


def results(
    entries: Iterable[matrix.Entry], jobs: Mapping[matrix.PlannedTraining, Job]
) -> dict[str, Any]:
    """Collect the scores of all entries that have them, without any path.

    Returns:
      A JSON-able dict {"runs": {title: settings}, "entries": [...]}. Each entry has the fields
      below, and average_precision and max_iou_of_mean of the baselines that the run has, such as
      nearest_average_precision.

    Raises:
      UserError: if a file of scores is damaged.
    """
    runs: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for entry in entries:
        job = jobs[entry.training]
        # The run may have scores of other categories already.
        if not (job.record_path.exists() and job.scores_path(entry.category).exists()):
            continue
        scores = job.scores(entry.category)
        means = {name: row["mean"] for name, row in scores["rows"].items()}
        model = means["model"]
        rows.append(
            {
                **{name: getattr(entry, name) for name in _ENTRY},
                "run": entry.training.title,
                **{name: model[name] for name in _SCORES},
                # Scores of earlier versions do not have them.
                **{name: model[name] for name in WRITTEN if name in model},
                "num_shapes": model["num_shapes"],
                "turn": scores["turn"],
                **{
                    f"{baseline}_{name}": means[baseline][name]
                    for baseline in BASELINES
                    if baseline in means  # a run without labels has only one
                    for name in _SCORES[:2]
                },
            }
        )
        run = entry.training
        train = dataclasses.asdict(run.train)
        del train["init_from"]
        runs[run.title] = {
            "categories": list(run.data.categories),
            "starts_from": run.start.title if run.start else None,
            "steps": run.schedule.steps,
            "minutes": job.minutes,
            **train,
        }
    return {"runs": runs, "entries": rows}
