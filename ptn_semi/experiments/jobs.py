"""The runs of a matrix on disk: where each is kept, what is done, and what came out.

Every run has a folder in `<workdir>/runs`, named by its title and a digest of its settings, with

  run.flags               the flagfile it is trained with
  log.txt                 what the commands print
  training/               the workdir of `ptn_semi.train`
  <category>.json, .png   what `ptn_semi.evaluate` writes
  run.json                written last: how long the training took
"""

import dataclasses
import functools
import hashlib
import json
import pathlib
import re

from ptn_semi.data import preparation
from ptn_semi.experiments import matrix
from ptn_semi.models import checkpoints
from ptn_semi.utils import files

_MEND = "delete it and give the same command again"
_SCORES = ("average_precision", "max_iou_of_mean", "iou_0.4", "iou_0.5")


@dataclasses.dataclass(frozen=True)
class Job:
    """A run with its place on disk and what it is scored on.

    Attributes:
      run: a `matrix.Run`.
      folder: its own.
      categories: whose test shapes it is scored on, sorted.
      start: the `Job` whose networks it starts from, or None.
    """

    run: matrix.Run
    folder: pathlib.Path
    categories: tuple[str, ...]
    start: "Job | None"

    @property
    def workdir(self):
        """The workdir of `ptn_semi.train`."""
        return self.folder / "training"

    @property
    def record_path(self):
        """JSON file of how long the training took."""
        return self.folder / "run.json"

    def scores_path(self, category):
        """JSON file of the scores on a category's test shapes."""
        return self.folder / f"{category}.json"

    @property
    def done(self):
        """Whether all of it is there."""
        scores = [self.scores_path(category) for category in self.categories]
        return all(path.exists() for path in [*scores, self.record_path])

    @property
    def seconds_left(self):
        """How long it is expected to take yet."""
        if self.done:
            return 0
        kept = checkpoints.newest_step(self.workdir / "checkpoints")
        return self.run.seconds * (1 - 0.9 * kept / self.run.run.steps)

    @property
    def data_sets(self):
        """The `DataSettings` that it needs."""
        return [self.run.data, *(self.run.data_of(category) for category in self.categories)]

    def scores(self, category):
        """What `ptn_semi.evaluate` wrote of a category."""
        return files.read_json(self.scores_path(category), _MEND)

    def record(self):
        """What `write_record` wrote: {"minutes"}."""
        return files.read_json(self.record_path, _MEND)

    def write_record(self):
        """Writes down how long the training took, from its last checkpoint."""
        minutes = checkpoints.find(self.workdir, "last").progress["minutes"]
        with files.replacing(self.record_path) as partial:
            partial.write_text(json.dumps({"minutes": minutes}) + "\n")

    def settings(self):
        """(DataSettings, TrainSettings, RunSettings) of the training."""
        start = str(self.start.workdir) if self.start else ""
        return self.run.data, dataclasses.replace(self.run.train, init_from=start), self.run.run

    def commands(self):
        """What does it: lists of arguments after `python -m`."""
        flagfile = self.folder / "run.flags"
        yield ["ptn_semi.train", f"--flagfile={flagfile}", f"--workdir={self.workdir}"]
        for category in self.categories:
            num_shapes = self.run.data_of(category).num_shapes
            yield [
                "ptn_semi.evaluate",
                f"--workdir={self.workdir}",
                "--split=test",
                f"--categories={category}",
                f"--num_shapes={num_shapes}",
                f"--output={self.scores_path(category)}",
                *(["--global_turn", "--checkpoint=last"] if self.run.needs_turn else []),
            ]


def plan(entries, workdir):
    """The `Job` of every run that entries need, each after the one it starts from.

    The first seed of everything comes before the second: what is there early is a whole picture.

    Args:
      entries: `matrix.Entry`s.
      workdir: folder that all is kept in.

    Returns:
      {run: job}.
    """
    categories = {}
    for entry in sorted(entries, key=lambda entry: entry.seed):
        if entry.run.start:
            categories.setdefault(entry.run.start, set())
        categories.setdefault(entry.run, set()).add(entry.category)
    jobs = {}
    for run, scored in categories.items():
        name = re.sub(r"[^\w+.-]+", "_", run.title)
        folder = pathlib.Path(workdir) / "runs" / f"{name}-{_digest(run)}"
        jobs[run] = Job(run, folder, tuple(sorted(scored)), jobs.get(run.start))
    return jobs


@functools.cache
def _digest(run):
    """Equal for runs whose results are equal."""
    start = _digest(run.start) if run.start else None
    parts = [
        _data_set_name(run.data),
        dataclasses.asdict(run.train),
        run.run.steps,
        run.run.evaluate_every,
        start,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


_data_set_name = functools.cache(preparation.name)


def results(entries, jobs):
    """The entries that have scores, with them, as JSON-able dicts; no path is in them.

    Args:
      entries: `matrix.Entry`s.
      jobs: {run: `Job`}, from `plan`.

    Returns:
      {"runs": {title: settings}, "entries": [...]}, where an entry has experiment, model, category,
      pose_fraction, seed, the run's title, average_precision, max_iou_of_mean, iou_0.4, iou_0.5,
      num_shapes, turn, and mean_shape_average_precision, mean_shape_max_iou_of_mean.
    """
    runs, rows = {}, []
    for entry in entries:
        job = jobs[entry.run]
        # Another category of the run may be missing yet.
        if not (job.record_path.exists() and job.scores_path(entry.category).exists()):
            continue
        scores = job.scores(entry.category)
        model, floor = (scores["rows"][name]["mean"] for name in ("model", "mean_shape"))
        rows.append(
            {
                "experiment": entry.experiment,
                "model": entry.model,
                "category": entry.category,
                "pose_fraction": entry.pose_fraction,
                "seed": entry.seed,
                "run": entry.run.title,
                **{name: model[name] for name in _SCORES},
                "num_shapes": model["num_shapes"],
                "turn": scores["turn"],
                **{f"mean_shape_{name}": floor[name] for name in _SCORES[:2]},
            }
        )
        runs[entry.run.title] = _described(job)
    return {"runs": runs, "entries": rows}


def _described(job):
    train = dataclasses.asdict(job.run.train)
    train.pop("init_from")
    return {
        "categories": list(job.run.data.categories),
        "starts_from": job.run.start.title if job.run.start else None,
        "steps": job.run.run.steps,
        **job.record(),
        **train,
    }
