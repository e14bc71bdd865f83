"""Shows that a killed training goes on to the same bits.

    python tools/check_resume.py --kills=3 --workdir=/tmp/resume -- --steps=60 --evaluate_every=10

Trains once without a break and once killed (kill -9) at random moments and started again; then
compares every tensor of the two last checkpoints. Flags after -- go to `ptn_semi.train`.
"""

import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app, flags

from ptn_semi import checkpoints

KILLS = flags.DEFINE_integer("kills", 3, "How often the second training is killed.")
WORKDIR = flags.DEFINE_string("workdir", None, "Folder for both trainings.", required=True)
SEED = flags.DEFINE_integer("kill_seed", 0, "Seed of the moments.")


def run(workdir, train_flags, kill_after=None):
    """Runs the training command; returns its seconds, or None where it was killed first."""
    command = [sys.executable, "-m", "ptn_semi.train", f"--workdir={workdir}", *train_flags]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        code = process.wait(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return None
    if code != 0:
        sys.exit(f"error: {' '.join(command)} ended with {code}: run it by hand to see why")
    return time.monotonic() - started


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
    seconds = run(folder / "whole", argv[1:])
    print(f"uninterrupted: {seconds:.1f} s")
    moments = random.Random(SEED.value)
    for kill in range(KILLS.value):
        # Start-up is about the first third; the kills share the rest, so that none is too late.
        after = moments.uniform(0.3, 0.3 + 0.7 / KILLS.value) * seconds
        if run(folder / "killed", argv[1:], after) is not None:
            print(f"kill {kill + 1}: finished before {after:.1f} s")
            break
        newest = checkpoints.latest(folder / "killed" / "checkpoints", on_damage=print)
        print(f"kill {kill + 1} after {after:.1f} s; resumes from step {newest and newest.step}")
    run(folder / "killed", argv[1:])
    whole, killed = (checkpoints.find(folder / name, "last") for name in ("whole", "killed"))
    count, differing = differing_tensors(whole, killed)
    print(f"step {whole.step} and {killed.step}: {count - len(differing)} of {count} tensors equal")
    if differing or whole.step != killed.step:
        sys.exit(f"error: the runs differ, first in {differing[:3]}")


if __name__ == "__main__":
    app.run(main)
