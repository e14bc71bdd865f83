"""Reproduce the paper's tables and figures, each with one command.

    python tools/reproduce.py --experiment=figure4 --workdir=runs/paper --scale=cpu \
      --dataset=shapenet_vox32 --manual_dir=ShapeNetVox32

The experiment's trainings run with the package's own commands. Afterwards results.json, report.md
and the figures (PNG and SVG) are written to the workdir. If it is stopped, the same command resumes
it: finished trainings are not repeated, and trainings that several experiments need run once.

--list shows what there is to do. --report_only writes the report of an earlier results.json.
"""

import dataclasses
import json
import pathlib
from collections.abc import Collection
from typing import Any

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.data.checks import check_shapes
from ptn_semi.experiments import matrix, scales
from ptn_semi.utils import cli, files, flags
from ptn_semi.utils.errors import UserError

FLAGS = absl_flags.FLAGS


def listing(planned: Collection[Any], parallel: int) -> str:
    """Format a table of the jobs with their states, durations and titles."""
    lines = [f"{'state':>10}  {'hours':>6}  run"]
    for job in planned:
        state = "done" if job.done else "started" if job.workdir.exists() else "to do"
        hours = job.minutes / 60 if job.done else job.seconds_left / 3600
        lines.append(f"{state:>10}  {hours:6.2f}  {job.training.title}")
    left = sum(job.seconds_left for job in planned) / 3600 / parallel
    count = sum(not job.done for job in planned)
    lines.append(f"{count} of {len(planned)} runs to do, about {left:.1f} hours on 2 CPU cores")
    return "\n".join(lines)


def define_flags() -> None:
    """Define the command's flags."""
    names = ["all", *matrix.EXPERIMENTS]
    absl_flags.DEFINE_multi_enum(
        "experiment", None, names, "Which experiment; repeat the flag for several."
    )
    absl_flags.DEFINE_string("workdir", None, "Folder for trainings and results.")
    purposes = "; ".join(f"{name}: {scale.purpose}" for name, scale in scales.SCALES.items())
    absl_flags.DEFINE_enum("scale", "cpu", list(scales.SCALES), purposes)
    absl_flags.DEFINE_enum(
        "recipe", None, matrix.RECIPES, "Flagfile of the trainings; the scale's own by default."
    )
    absl_flags.DEFINE_integer(
        "seeds", None, "How many seeds; the scale's own number by default.", lower_bound=1
    )
    absl_flags.DEFINE_integer("jobs", 1, "Trainings at once; use one on a GPU.", lower_bound=1)
    absl_flags.DEFINE_boolean("list", False, "Show what there is to do and how long it may take.")
    absl_flags.DEFINE_boolean("report_only", False, "Only write the report of results.json.")
    flags.define(settings.DataSettings)
    flags.keep_local("workdir")
    flags.require("workdir", "FOLDER")
    flags.require("experiment", "NAME")


def main() -> None:
    """Parse flags and call the library."""
    workdir = pathlib.Path(FLAGS.workdir)
    path = workdir / "results.json"
    if FLAGS.report_only:
        from ptn_semi.experiments import reports

        results = files.read_json(path, "leave out --report_only to get it")
        if not isinstance(results, dict) or "entries" not in results:
            raise UserError(f"{path} does not hold results: leave out --report_only to get them")
        print(f"report: {reports.write(results, workdir)}")
        return
    if FLAGS.scale == "paper" and not FLAGS["dataset"].present:
        raise UserError(
            "--scale=paper trains for weeks on a CPU, by default on generated shapes: say on which "
            "data set, e.g. --dataset=shapenet_vox32 --manual_dir=ShapeNetVox32"
        )
    scale = scales.SCALES[FLAGS.scale]
    recipe = FLAGS.recipe or scale.recipe
    data = flags.collect(settings.DataSettings)
    if not FLAGS["num_shapes"].present:
        data = dataclasses.replace(data, num_shapes=scale.shapes_per_category)
    check_shapes(data)
    with cli.loading():
        from ptn_semi.data import configs
        from ptn_semi.experiments import jobs, reports, runner
    present = data.categories or configs.list_categories(data)
    experiments = matrix.EXPERIMENTS if "all" in FLAGS.experiment else FLAGS.experiment
    wanted = matrix.Matrix(data, present, scale, recipe, FLAGS.seeds or scale.seeds)
    entries = wanted.entries(experiments)
    planned = jobs.plan(entries, workdir)
    print(f"scale {FLAGS.scale}: {scale.purpose}")
    print(f"data set: {data.dataset} {data.manual_dir}".rstrip())
    if wanted.missing:
        print(f"left out, as their shapes are missing: {', '.join(wanted.missing)}")
    print(listing(planned.values(), FLAGS.jobs))
    if FLAGS.list:
        return
    try:
        failed = runner.run(planned.values(), FLAGS.jobs)
    finally:  # an interrupted run reports what there is
        results = {
            "scale": FLAGS.scale,
            "purpose": scale.purpose,
            "recipe": recipe,
            "dataset": data.dataset,
            "missing": wanted.missing,
            "unfinished": sum(not job.done for job in planned.values()),
            **jobs.results(entries, planned),
        }
        with files.replacing(path) as partial:
            partial.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"report: {reports.write(results, workdir)}")
    if failed:
        job, problem = next(iter(failed.items()))
        raise UserError(
            f"{len(failed)} of {len(planned)} runs failed; the first, {job.training.title}: "
            f"{problem}; run the same command again to do what is missing"
        )


if __name__ == "__main__":
    cli.run(main, define_flags)
