"""Shows that a killed training goes on to the same bits.

    python tools/faults/check_resume.py --kills=3 --workdir=/tmp/resume -- --steps=60

Trains once without a break and once killed (kill -9) and started again, in turn at a random moment
while a checkpoint is written, between two of them, and before the first new one; then compares
every tensor of the two last checkpoints. Flags after -- go to `ptn_semi.train`.
"""

import pathlib
import random
import subprocess
import sys
import time

import numpy as np
from absl import app, flags

from ptn_semi.models import checkpoints  # before TensorFlow, which it has compute with oneDNN

import tensorflow as tf  # isort: skip

KILLS = flags.DEFINE_integer("kills", 3, "How often the second training is killed.")
WORKDIR = flags.DEFINE_string("workdir", None, "Folder for both trainings.", required=True)
MAX_DELAY = flags.DEFINE_float("max_delay", 3, "Longest seconds from a checkpoint to a kill.")
SEED = flags.DEFINE_integer("kill_seed", 0, "Seed of the moments.")
_KINDS = "writing", "training", "starting"
_WRITING = 0.1  # seconds that a checkpoint may take, or little more
_STARTING = 15  # seconds


def start(workdir, train_flags):
    """Starts the training command."""
    command = [sys.executable, "-m", "ptn_semi.train", f"--workdir={workdir}", *train_flags]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(process):
    """Waits for a training that is to end well."""
    if process.wait() != 0:
        sys.exit(f"error: {' '.join(process.args)} ended with {process.returncode}")


def _changed(path):
    try:
        return path.stat().st_ctime_ns
    except FileNotFoundError:  # it was renamed just now
        return None


def kill_once(workdir, train_flags, kind, share):
    """Kills a training.

    Args:
      workdir, train_flags: its own.
      kind: one of `_KINDS`.
      share: of the time in which it may be killed, 0 to 1.

    Returns:
      What it was doing; None if it ended before.
    """
    folder = workdir / "checkpoints"
    before = checkpoints.newest_step(folder)
    left = set(map(_changed, folder.glob("partial_*")))  # by a kill before
    being_written = lambda: set(map(_changed, folder.glob("partial_*"))) - left - {None}
    process = start(workdir, train_flags)
    if kind != "starting":  # so that each goes on from a later step than the one before
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


def differing_tensors(a, b):
    """Names of the tensors that differ between two `checkpoints.Checkpoint`s."""
    first, second = (tf.train.load_checkpoint(str(each.path / "state")) for each in (a, b))
    names = first.get_variable_to_shape_map()
    assert names == second.get_variable_to_shape_map()
    names.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    return len(names), [
        name
        for name in names
        if not np.array_equal(first.get_tensor(name), second.get_tensor(name))
    ]


def main(argv):
    """Trains twice and compares."""
    folder = pathlib.Path(WORKDIR.value)
    if folder.exists():
        sys.exit(f"error: {folder} is there already: give a --workdir that is not")
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
        sys.exit(f"error: the runs differ, first in {differing[:3]}")


if __name__ == "__main__":
    app.run(main)
