"""Trials in several processes of one machine: KerasTuner's chief and the workers that it serves.

A worker that dies is started again under its name. The chief then gives it the trial that it was
on, and the trial's training resumes from its checkpoint.
"""

import contextlib
import json
import pathlib
import socket
import subprocess
import time

import tqdm

from ptn_semi.utils import children, files
from ptn_semi.utils.errors import UserError

_POLL = 0.5  # seconds
_MAX_RESTARTS = 5  # of all processes together
_CHIEF = "chief"


def run_trials(
    workdir: pathlib.Path, flagfile: pathlib.Path, workers: int, max_trials: int
) -> None:
    """Run the trials of a sweep that are left, until `max_trials` have ended in all.

    The processes take their flags from `flagfile` and write their output to `<workdir>/workers/`.
    They end when this process ends.

    Raises:
      UserError: if a process keeps failing.
    """
    folder = workdir / "workers"
    with files.explaining(folder):
        folder.mkdir(exist_ok=True)
    command = [
        "ptn_semi.tune",
        f"--flagfile={flagfile}",
        f"--workdir={workdir}",
        f"--max_trials={max_trials}",
    ]
    environment = {
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(_free_port()),
    }

    def start(name):
        named = environment | {"KERASTUNER_TUNER_ID": name}
        return children.start(command, folder / f"{name}.txt", named)

    running: dict[str, subprocess.Popen] = {}
    restarts = 0
    try:
        for name in [_CHIEF, *(f"worker{i}" for i in range(workers))]:
            running[name] = start(name)
        with tqdm.tqdm(total=max_trials, desc="sweeping", unit=" trials") as bar:
            # The chief waits for the workers that it knows. One that starts after the last trial
            # has ended would wait for the chief, and is stopped.
            while _CHIEF in running and len(running) > 1:
                for name, child in list(running.items()):
                    if child.poll() == 0:
                        del running[name]
                    elif child.poll() is not None:
                        if restarts == _MAX_RESTARTS:
                            said = children.failure(folder / f"{name}.txt", child)
                            raise UserError(f"{name} of the sweep failed: {said}")
                        restarts += 1
                        running[name] = start(name)
                bar.update(_num_ended(workdir) - bar.n)
                time.sleep(_POLL)
    finally:
        children.stop(running.values())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _num_ended(workdir: pathlib.Path) -> int:
    """Return how many trials have ended, including those that failed."""
    ended = 0
    for path in (workdir / "sweep").glob("trial_*/trial.json"):
        with contextlib.suppress(ValueError, KeyError):  # the chief says what is damaged
            status = json.loads(path.read_text(encoding="utf-8"))["status"]
            ended += status in ("COMPLETED", "FAILED")
    return ended
