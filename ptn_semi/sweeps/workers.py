"""A sweep in several processes of one machine: KerasTuner's chief, and workers that it serves.

A worker that dies is started again under its name: the chief gives it the trial that it was on,
whose training goes on from its checkpoint. Should this process die, the others end too; until they
have, they hold the workdir's lock.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import tqdm

from ptn_semi.data import preparation
from ptn_semi.sweeps import tuner
from ptn_semi.training import workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_POLL = 0.5  # seconds
_MAX_STARTS = 5  # of one worker
_CHIEF = "chief"
_PR_SET_PDEATHSIG = 1  # of Linux' prctl


def search(workdir, sweep, data, train, run, workers):
    """As `tuning.search`, with so many workers, whose output is in `<workdir>/workers/`."""
    workdir = pathlib.Path(workdir)
    with workdirs.claimed(workdir) as lock:
        tuner.keep_settings(workdir, sweep, data, train, run)
        preparation.prepare(data)  # before workers would, all at once
        with files.replacing(workdir / "workers" / "worker.flags") as partial:
            partial.write_text(_flag_text(sweep, data, train, run))
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            address = found.getsockname()
        team = _Team(workdir, address, lock)
        bar = tqdm.tqdm(total=sweep.max_trials, desc="sweeping", unit=" trials")
        names = [f"worker{i}" for i in range(workers)]
        with bar:
            try:
                team.start(_CHIEF)
                for name in names:
                    team.start(name)
                while not team.ended(names):
                    bar.update(_finished(workdir) - bar.n)
                    time.sleep(_POLL)
                team.wait(_CHIEF)
                bar.update(_finished(workdir) - bar.n)
            finally:
                team.stop()
        return tuner.finish(workdir, tuner.Tuner(workdir, sweep, data, train, run))


def _end_with_parent():
    # Killed, too: one that is told to stop waits for a chief that is gone.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Team:
    """The processes, by name."""

    def __init__(self, workdir, address, lock):
        self._workdir, self._lock = workdir, lock
        self._environment = {
            "KERASTUNER_ORACLE_IP": address[0],
            "KERASTUNER_ORACLE_PORT": str(address[1]),
        }
        self._processes, self._starts = {}, {}

    def start(self, name):
        """Starts the chief or a worker; a worker again if it died."""
        folder = self._workdir / "workers"
        command = [
            sys.executable,
            "-m",
            "ptn_semi.tune",
            f"--flagfile={folder / 'worker.flags'}",
            f"--workdir={self._workdir}",
        ]
        with open(folder / f"{name}.txt", "a") as log:
            self._processes[name] = subprocess.Popen(
                command,
                env=os.environ | self._environment | {"KERASTUNER_TUNER_ID": name},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[self._lock.fileno()],
                preexec_fn=_end_with_parent,
            )
        self._starts[name] = self._starts.get(name, 0) + 1

    def ended(self, names):
        """Whether all of these did their work; those that died are started again."""
        if self._processes[_CHIEF].poll():
            raise self._failure(_CHIEF)
        for name in names:
            if self._processes[name].poll():
                if self._starts[name] == _MAX_STARTS:
                    raise self._failure(name)
                self.start(name)
        return all(self._processes[name].poll() == 0 for name in names)

    def wait(self, name):
        """Waits for one to end well."""
        if self._processes[name].wait():
            raise self._failure(name)

    def stop(self):
        """Ends all that run; trainings keep a checkpoint."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            process.wait()

    def _failure(self, name):
        path = self._workdir / "workers" / f"{name}.txt"
        said = [line for line in path.read_text().splitlines() if line.startswith("error: ")]
        return UserError(f"{name} of the sweep failed: {said[-1] if said else 'see'} {path}")


def _flag_text(sweep, data, train, run):
    lines = [f"--sweep={name}\n" for name in sweep.names]
    lines += [f"--spread={sweep.spread}\n", f"--tuner={sweep.tuner}\n"]
    lines += [f"--max_trials={sweep.max_trials}\n", f"--sweep_seed={sweep.seed}\n"]
    return "".join(lines) + flags.to_text(data, train, run)


def _finished(workdir):
    """How many trials ended, well or not."""
    ended = 0
    for path in (workdir / "sweep").glob("trial_*/trial.json"):
        try:
            ended += json.loads(path.read_text())["status"] in ("COMPLETED", "FAILED", "INVALID")
        except (OSError, ValueError):  # being written
            continue
    return ended
