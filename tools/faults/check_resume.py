"""Show that a killed training resumes bit-identically.

    python tools/faults/check_resume.py --kills=3 --workdir=/tmp/resume -- --steps=60

One training runs without a break. Another is killed (kill -9) and started again, in turn at a
random moment while a checkpoint is written, between two checkpoints, and before the first new one.
Then every tensor of the two last checkpoints is compared. Flags after -- go to `ptn_semi.train`.
"""

import pathlib
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import cast

import numpy as np
from absl import app, flags

from ptn_semi.models import checkpoints  # turns oneDNN on, which has to come before TensorFlow

import tensorflow as tf  # isort: skip

KILLS = flags.DEFINE_integer("kills", 3, "How often the second training is killed.")
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder for both trainings; it must not exist yet.", required=True
)
MAX_DELAY = flags.DEFINE_float("max_delay", 3, "Longest seconds from a checkpoint to a kill.")
SEED = flags.DEFINE_integer("kill_seed", 0, "Seed of the moments of the kills.")
_KINDS = "writing", "training", "starting"
_WRITING = 0.1  # seconds; about as long as a checkpoint takes to write
_STARTING = 15  # seconds; about as long as a training takes to start


def start(workdir: pathlib.Path, train_flags: Sequence[str]) -> subprocess.Popen:
    """Start the training command."""
    command = [sys.executable, "-m", "ptn_semi.train", f"--workdir={workdir}", *train_flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(process: subprocess.Popen) -> None:
    """Wait for a training that should end well; otherwise exit with an error."""
    if process.wait() != 0:
        command = " ".join(cast(list[str], process.args))
        sys.exit(f"error: {command} ended with {process.returncode}")


def _changed(path):
    try:
        return path.stat().st_ctime_ns
    except FileNotFoundError:  # it has just been renamed
        return None


def kill_once(
    workdir: pathlib.Path, train_flags: Sequence[str], kind: str, share: float
) -> str | None:
    """Kill a training.

    Args:
      workdir: the training's folder.
      train_flags: the training's other flags.
      kind: one of `_KINDS`.
      share: when it is killed, from 0 to 1 of the time in which it may be.

    Returns:
      What it was doing, or None if it ended before.
    """
    folder = workdir / "checkpoints"
    before = checkpoints.newest_step(folder)
    left = set(map(_changed, folder.glob("partial_*")))  # by earlier kills
    being_written = lambda: set(map(_changed, folder.glob("partial_*"))) - left - {None}
    process = start(workdir, train_flags)
    if kind != "starting":  # the next start then resumes from a later step
        while checkpoints.newest_step(folder) == before and process.poll() is None:
            time.sleep(0.02)
    if kind == "writing":
        while not being_written() and process.poll() is None:
            time.sleep(0.001)
    delay = share * {"writing": _WRITING, "training": MAX_DELAY.value, "starting": _STARTING}[kind]
    try:
        process.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        step = checkpoints.newest_step(folder)
        return f"writing the checkpoint after step {step}" if being_written() else kind
    return None


def differing_tensors(
    a: checkpoints.Checkpoint, b: checkpoints.Checkpoint
) -> tuple[int, list[str]]:
    """Return the number of tensors, and the names of those that differ between checkpoints."""
    first, second = (tf.train.load_checkpoint(str(each.path / "state")) for each in (a, b))
    names = first.get_variable_to_shape_map()
    assert names == second.get_variable_to_shape_map()
    names.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    return len(names), [
        name
        for name in names
        if not np.array_equal(first.get_tensor(name), second.get_tensor(name))
    ]


def main(argv: list[str]) -> None:
    """Train twice and compare."""
    folder = pathlib.Path(WORKDIR.value)
    if folder.exists():
        sys.exit(f"error: {folder} exists already: give a --workdir that does not")
    finish(start(folder / "whole", argv[1:]))
    moments = random.Random(SEED.value)
    for kill in range(KILLS.value):
        doing = kill_once(folder / "killed", argv[1:], _KINDS[kill % len(_KINDS)], moments.random())
        if doing is None:
            sys.exit(f"error: ended before kill {kill + 1}: give more --steps or fewer --kills")
        step = checkpoints.newest_step(folder / "killed" / "checkpoints")
        print(f"kill {kill + 1} while {doing}; resumes from step {step}", flush=True)
    finish(start(folder / "killed", argv[1:]))
    whole, killed = (checkpoints.find(folder / name, "last") for name in ("whole", "killed"))
    count, differing = differing_tensors(whole, killed)
    print(f"step {whole.step} and {killed.step}: {count - len(differing)} of {count} tensors equal")
    if differing or whole.step != killed.step:
        sys.exit(f"error: the runs differ, beginning with {differing[:3]}")


if __name__ == "__main__":
    app.run(main)
