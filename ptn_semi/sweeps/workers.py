"""Sweeps in several processes of one machine: KerasTuner's chief and the workers that it serves.

A worker that dies is restarted under the same name. The chief then gives it the same trial, whose
training resumes from its checkpoint. If this process dies, the others end too, and they hold the
workdir's lock until they have ended.
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
from collections.abc import Sequence
from typing import Any, TextIO

import tqdm

from ptn_semi.data import preparation
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.sweeps import tuner
from ptn_semi.training import workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_POLL = 0.5  # seconds
_MAX_STARTS = 5  # of the same worker
_CHIEF = "chief"
_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def search(
    workdir: str | os.PathLike,
    sweep: tuner.Sweep,
    data: DataSettings,
    train: TrainSettings,
    run: RunSettings,
    workers: int,
) -> dict[str, Any]:
    """Run or resume a search in several processes, and report it.

    The processes write their output to `<workdir>/workers/`.

    Args:
      workdir: the sweep's workdir.
      sweep: the search.
      data: data settings of all trials.
      train: training settings around which the trials are drawn.
      run: run settings of all trials.
      workers: the number of trials that run at once.

    Returns:
      The best trial's row; see `tuner.Tuner.rows`.

    Raises:
      UserError: as `tuner.search`, or if a process keeps failing.
    """
    workdir = pathlib.Path(workdir)
    with workdirs.claimed(workdir) as lock:
        tuner.keep_settings(workdir, sweep, data, train, run)
        preparation.prepare(data)  # otherwise all workers would, at once
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


def _end_with_parent() -> None:
    # SIGTERM would not do: a worker that stops waits for the chief, which is gone by then. Systems
    # other than Linux have no such call; there, workers of a killed parent go on.
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Team:
    """The chief and the workers, by name.

    Args:
      workdir: the sweep's workdir.
      address: host and port that the chief listens on.
      lock: the open file of the workdir's lock, which the processes inherit.
    """

    def __init__(self, workdir: pathlib.Path, address: tuple[str, int], lock: TextIO):
        self._workdir, self._lock = workdir, lock
        self._environment = {
            "KERASTUNER_ORACLE_IP": address[0],
            "KERASTUNER_ORACLE_PORT": str(address[1]),
        }
        self._processes: dict[str, subprocess.Popen] = {}
        self._starts: dict[str, int] = {}

    def start(self, name: str) -> None:
        """Start the chief or a worker, or restart a worker that died."""
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

    def ended(self, names: Sequence[str]) -> bool:
        """Return whether all of these workers have succeeded; restart those that died.

        Raises:
          UserError: if the chief failed, or a worker failed too often.
        """
        if self._processes[_CHIEF].poll():
            raise self._failure(_CHIEF)
        for name in names:
            if self._processes[name].poll():
                if self._starts[name] == _MAX_STARTS:
                    raise self._failure(name)
                self.start(name)
        return all(self._processes[name].poll() == 0 for name in names)

    def wait(self, name: str) -> None:
        """Wait for a process to end.

        Raises:
          UserError: if it failed.
        """
        if self._processes[name].wait():
            raise self._failure(name)

    def stop(self) -> None:
        """Stop all processes that run, and wait for them; trainings keep a checkpoint."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            process.wait()

    def _failure(self, name: str) -> UserError:
        path = self._workdir / "workers" / f"{name}.txt"
        said = [line for line in path.read_text().splitlines() if line.startswith("error: ")]
        return UserError(f"{name} of the sweep failed: {said[-1] if said else 'see'} {path}")


def _flag_text(
    sweep: tuner.Sweep, data: DataSettings, train: TrainSettings, run: RunSettings
) -> str:
    """Return the flagfile of the workers."""
    lines = [f"--sweep={name}\n" for name in sweep.names]
    lines += [f"--spread={sweep.spread}\n", f"--tuner={sweep.tuner}\n"]
    lines += [f"--max_trials={sweep.max_trials}\n", f"--sweep_seed={sweep.seed}\n"]
    return "".join(lines) + flags.to_text(data, train, run)


def _finished(workdir: pathlib.Path) -> int:
    """Return how many trials have ended, including those that failed."""
    ended = 0
    for path in (workdir / "sweep").glob("trial_*/trial.json"):
        try:
            ended += json.loads(path.read_text())["status"] in ("COMPLETED", "FAILED", "INVALID")
        except (OSError, ValueError):  # the chief is writing it
            continue
    return ended
