"""Sweeps loss weights with KerasTuner: `python -m ptn_semi.tune --flagfile=... --max_trials=20`.

Each trial is a training as `ptn_semi.train` runs it. Its score is its best validation AP. The same
command resumes a sweep that was stopped. --workers runs several trials at once, each in a process.
On several machines that share the workdir's disk, run the same command on each with KerasTuner's
variables set (docs/scale.md).
"""

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.training.workdirs import check_training
from ptn_semi.utils import cli, files, flags

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the sweep.")
    absl_flags.DEFINE_enum("tuner", "random", settings.TUNERS, "How trials are chosen.")
    absl_flags.DEFINE_integer("max_trials", 20, "The most trials to run.", lower_bound=1)
    absl_flags.DEFINE_multi_enum(
        "sweep",
        list(settings.WEIGHTS),
        settings.SWEPT,
        "A setting to search; repeat the flag for more. "
        "Settings of losses that are left out have no effect and are not searched.",
    )
    absl_flags.DEFINE_float(
        "spread",
        10.0,
        "Each setting is drawn between its value in the flags divided and multiplied by this, "
        "evenly on a logarithmic scale.",
        lower_bound=1.01,
    )
    absl_flags.DEFINE_integer("sweep_seed", 0, "Seed of the search.", lower_bound=0)
    absl_flags.DEFINE_integer(
        "workers", 1, "How many trials run at once on this machine.", lower_bound=1
    )
    flags.define(settings.DataSettings, settings.TrainSettings, settings.RunSettings)
    flags.keep_local("workdir")
    flags.require("workdir", "FOLDER")


def main() -> None:
    """Parse flags and call the library."""
    data = flags.collect(settings.DataSettings)
    train = flags.collect(settings.TrainSettings)
    run = flags.collect(settings.RunSettings)
    files.check_folder(FLAGS.workdir, f"--workdir={FLAGS.workdir}")
    files.check_encoding(FLAGS.workdir, f"--workdir={FLAGS.workdir}")
    check_training(None, data, train, run)
    with cli.loading():
        from ptn_semi.sweeps import tuner
    sweep = tuner.Sweep(
        tuple(FLAGS.sweep), FLAGS.spread, FLAGS.tuner, FLAGS.max_trials, FLAGS.sweep_seed
    )
    best = tuner.search(FLAGS.workdir, sweep, data, train, run, FLAGS.workers)
    if best:  # None in a worker or chief
        print(f"best validation AP {best['average_precision']:.4f}, trial {best['trial']}")
        given = f"--flagfile={FLAGS.workdir}/best.flags --workdir={FLAGS.workdir}/best"
        print(f"train with it: python -m ptn_semi.train {given}")


if __name__ == "__main__":
    cli.run(main, define_flags)
