"""Trains a reconstructor: `python -m ptn_semi.train --flagfile=ptn_semi/configs/quickstart.flags`.

--flagfile reads flags from a file; ptn_semi/configs has those of this package. Flags after it
override those in the file. The same command resumes an interrupted run.
"""

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.training.workdirs import check_training
from ptn_semi.utils import cli, flags

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.define(settings.DataSettings, settings.TrainSettings, settings.RunSettings)
    flags.keep_local("workdir")
    flags.require("workdir", "FOLDER")


def main() -> None:
    """Parse flags and call the library."""
    data = flags.collect(settings.DataSettings)
    train = flags.collect(settings.TrainSettings)
    run = flags.collect(settings.RunSettings)
    check_training(FLAGS.workdir, data, train, run)
    with cli.loading():
        from ptn_semi.training import trainer
    checkpoint = trainer.train(FLAGS.workdir, data, train, run)
    if checkpoint is None:  # another process of the run reports
        return
    best = checkpoint.progress.best
    if best:  # none where a run was interrupted before its first validation, and then cut short
        print(f"best validation AP {best.average_precision:.4f} at step {best.step}")
    print(f"test scores: python -m ptn_semi.evaluate --workdir={FLAGS.workdir} --split=test")


if __name__ == "__main__":
    cli.run(main, define_flags)
