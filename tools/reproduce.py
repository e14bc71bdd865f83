"""The paper's tables and figures, each by one command.

    python tools/reproduce.py --experiment=figure4 --workdir=runs/paper --scale=cpu \
      --dataset=shapenet_vox32 --manual_dir=ShapeNetVox32

Does the experiment's trainings with the package's own commands, then writes results.json, report.md
and the figures (PNG and SVG) in the workdir. Stopped anywhere, the same command goes on; what is
finished is not done again, and trainings that several experiments need are done once.

--list shows what there is to do; --report_only draws what is in results.json.
"""

import dataclasses
import json
import pathlib

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.data.preflight import check_shapes
from ptn_semi.experiments import matrix, scales
from ptn_semi.utils import cli, files, flags
from ptn_semi.utils.errors import UserError

FLAGS = absl_flags.FLAGS
absl_flags.DEFINE_multi_enum(
    "experiment",
    None,
    ["all", *matrix.EXPERIMENTS],
    "Which; give it again for more.",
    required=True,
)
absl_flags.DEFINE_string("workdir", None, "Folder for all of it.", required=True)
absl_flags.DEFINE_enum(
    "scale",
    "cpu",
    list(scales.SCALES),
    "; ".join(f"{name}: {scale.purpose}" for name, scale in scales.SCALES.items()),
)
absl_flags.DEFINE_enum(
    "recipe", None, list(matrix.RECIPES), "Flagfile that trainings follow, if not the scale's own."
)
absl_flags.DEFINE_integer("seeds", None, "How many, if not as many as the scale's.", lower_bound=1)
absl_flags.DEFINE_integer("jobs", 1, "Trainings at once; one on a GPU.", lower_bound=1)
absl_flags.DEFINE_boolean("list", False, "Show what there is to do, and how long it may take.")
absl_flags.DEFINE_boolean("report_only", False, "Draw what is in results.json.")
flags.define(settings.DataSettings)

_RESULTS = "results.json"


def listing(planned, parallel):
    """A text table of jobs: done or how long yet, and how it is titled."""
    lines = [f"{'state':>10}  {'minutes':>7}  run"]
    for job in planned:
        state = "done" if job.done else "started" if job.workdir.exists() else "to do"
        minutes = job.record()["minutes"] if job.done else job.seconds_left / 60
        lines.append(f"{state:>10}  {minutes:7.1f}  {job.run.title}")
    left = sum(job.seconds_left for job in planned) / 60 / parallel
    count = sum(not job.done for job in planned)
    lines.append(f"{count} of {len(planned)} runs to do, about {left:.0f} minutes")
    return "\n".join(lines)


def read_results(path):
    """The results in a JSON file.

    Raises:
      UserError: it is missing or holds something else.
    """
    results = files.read_json(path, "leave out --report_only to get it")
    if not isinstance(results, dict) or "entries" not in results:
        raise UserError(f"{path} holds no results: leave out --report_only to get some")
    return results


def main():
    """Parses flags and calls the library."""
    workdir = pathlib.Path(FLAGS.workdir)
    if FLAGS.report_only:
        from ptn_semi.experiments import reports

        print(f"report: {reports.write(read_results(workdir / _RESULTS), workdir)}")
        return
    scale = scales.SCALES[FLAGS.scale]
    recipe = FLAGS.recipe or scale.recipe
    data = flags.collect(settings.DataSettings)
    if not FLAGS["num_shapes"].present:
        data = dataclasses.replace(data, num_shapes=scale.shapes_per_category)
    check_shapes(data)
    with cli.loading():
        from ptn_semi.data import preparation
        from ptn_semi.experiments import jobs, reports, runner
    present = data.categories or preparation.categories(data)
    experiments = matrix.EXPERIMENTS if "all" in FLAGS.experiment else FLAGS.experiment
    wanted = matrix.Matrix(data, present, scale, recipe, FLAGS.seeds or scale.seeds)
    entries = wanted.entries(experiments)
    planned = jobs.plan(entries, workdir)
    print(f"scale {FLAGS.scale}: {scale.purpose}")
    if wanted.missing:
        print(f"left out, for want of shapes: {', '.join(wanted.missing)}")
    print(listing(planned.values(), FLAGS.jobs))
    if FLAGS.list:
        return
    failed = {}
    try:
        failed = runner.Runner(FLAGS.jobs).run(planned.values())
    finally:  # of what there is, if it was stopped
        results = {
            "scale": FLAGS.scale,
            "purpose": scale.purpose,
            "recipe": recipe,
            "dataset": data.dataset,
            "missing": wanted.missing,
            "unfinished": sum(not job.done for job in planned.values()),
            **jobs.results(entries, planned),
        }
        with files.replacing(workdir / _RESULTS) as partial:
            partial.write_text(json.dumps(results, indent=1) + "\n")
        print(f"report: {reports.write(results, workdir)}")
    if failed:
        job, problem = next(iter(failed.items()))
        raise UserError(
            f"{len(failed)} of {len(planned)} runs failed; the first, {job.run.title}: {problem}; "
            "the same command does what is missing"
        )


if __name__ == "__main__":
    cli.run(main)
