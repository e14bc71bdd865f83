"""Stands in for `children.start` with processes that have TensorFlow imported already.

They run the commands themselves, after a function that replaces what would take long.
"""

import functools
import os
import runpy
import signal
import sys

from ptn_semi.models import architectures, checkpoints
from ptn_semi.training import trainer
from ptn_semi.utils import children
from support import processes
from support.tiny_networks import TINY


class ForkedChild:
    """A command as `subprocess.Popen` has it; `setup`, a function of a module, is called before."""

    def __init__(self, setup, command, log, environment=None):
        self._process = processes.start(_run, setup, command, log, environment or {})
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self):
        self._process.join()
        return self.poll()


def _run(setup, command, log, environment):
    os.environ.update(environment)
    with open(log, "a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    setup()
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def use_tiny_networks():
    """Has commands, and what they start in turn, train tiny networks."""
    architectures.PRESETS["small"] = TINY
    children.start = functools.partial(ForkedChild, use_tiny_networks)


def use_quick_trainings():
    """Has trainings end at once; the first one of trial 0 is killed."""
    trainer.train = _quick_training_killed_once


def _quick_training_killed_once(workdir, *settings):
    if workdir.name == "0" and not workdir.exists():
        workdir.mkdir(parents=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return quick_training(workdir, *settings)


def quick_training(workdir, data, train, run):
    """Trains nothing; the score grows with the reconstruction weight."""
    workdir.mkdir(parents=True, exist_ok=True)
    with open(workdir / "trained", "a") as file:
        print(run.steps, file=file)
    best = checkpoints.Best(run.steps, train.reconstruction_weight / 100, threshold=0.5)
    return checkpoints.Checkpoint(workdir, None, checkpoints.Progress("none", best=best))
