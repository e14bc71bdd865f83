"""Check that a training that is killed again and again resumes bit-identically.

    python tools/check_resume.py --kills=3 --workdir=/tmp/resume -- --steps=60

One training runs without a break. Another one is killed (`kill -9`) and started again, in turn at a
random moment while it writes a checkpoint, between two checkpoints, and while it starts. Then every
tensor of the two last checkpoints is compared. The flags after `--` go to `ptn_semi.train`.
"""

import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from absl import flags as absl_flags

from ptn_semi.utils import cli, flags
from ptn_semi.utils.errors import UserError

with cli.loading():
    import tensorflow as tf

    from ptn_semi.models import checkpoints

FLAGS = absl_flags.FLAGS

# Seconds within which a training is killed once the moment has come.
DELAYS = {"writing a checkpoint": 0.1, "training": 3.0, "starting": 15.0}


def start(workdir: pathlib.Path, train_flags: Sequence[str]) -> subprocess.Popen:
    """Start a training in a process of its own."""
    command = [sys.executable, "-m", "ptn_semi.train", f"--workdir={workdir}", *train_flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(process: subprocess.Popen) -> None:
    """Wait for a training to end."""
    if process.wait():
        raise UserError("a training failed: run python -m ptn_semi.train alone to see why")


def kill(workdir: pathlib.Path, train_flags: Sequence[str], moment: str, share: float) -> None:
    """Start a training and kill it at a moment, after a share (0 to 1) of the moment's delay."""
    folder = workdir / "checkpoints"
    first_step = checkpoints.newest_step(folder)
    process = start(workdir, train_flags)
    if moment != "starting":  # so that the next start resumes from a later step
        _wait(process, lambda: checkpoints.newest_step(folder) != first_step)
    if moment == "writing a checkpoint":
        # Writing the checkpoint above has removed what earlier kills left behind.
        _wait(process, lambda: any(folder.glob("partial_*")))
    try:
        process.wait(timeout=share * DELAYS[moment])
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return
    raise UserError("the training ended before it was killed: give more --steps or fewer --kills")


def _wait(process: subprocess.Popen, condition: Callable[[], bool]) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.001)


def tensors(checkpoint: checkpoints.Checkpoint) -> dict[str, np.ndarray]:
    """Return all tensors of a checkpoint, by name."""
    reader = tf.train.load_checkpoint(str(checkpoint.path / "state"))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return {name: reader.get_tensor(name) for name in names}


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "A new folder for both trainings.")
    absl_flags.DEFINE_integer("kills", 3, "How often the training is killed.", lower_bound=0)
    absl_flags.DEFINE_integer("kill_seed", 0, "Seed of the moments of the kills.")
    flags.keep_local("workdir")
    flags.require("workdir", "FOLDER")


def main(train_flags: list[str]) -> None:
    """Train twice and compare."""
    folder = pathlib.Path(FLAGS.workdir)
    if folder.exists():
        raise UserError(f"{folder} already exists: give a new folder as --workdir")
    whole, killed = folder / "whole", folder / "killed"
    finish(start(whole, train_flags))
    shares = random.Random(FLAGS.kill_seed)
    for number in range(FLAGS.kills):
        moment = list(DELAYS)[number % len(DELAYS)]
        kill(killed, train_flags, moment, shares.random())
        step = checkpoints.newest_step(killed / "checkpoints")
        print(f"kill {number + 1} while {moment}; resumes from step {step}", flush=True)
    finish(start(killed, train_flags))
    expected, found = (checkpoints.find(workdir, "last") for workdir in (whole, killed))
    ours, theirs = tensors(found), tensors(expected)
    equal = {name for name in ours if name in theirs and np.array_equal(ours[name], theirs[name])}
    differing = sorted((ours.keys() | theirs.keys()) - equal)
    count = f"{len(equal)} of {len(equal) + len(differing)} tensors are equal"
    print(f"step {expected.info.step} and step {found.info.step}: {count}")
    if differing or expected.info.step != found.info.step:
        raise UserError(f"the trainings differ: {', '.join(differing[:3]) or 'in their steps'}")


if __name__ == "__main__":
    cli.run(main, define_flags, takes_arguments=True)
