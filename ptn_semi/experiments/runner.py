"""Runner of jobs, which calls the package's own commands in several processes at once."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Generator

import tqdm

from ptn_semi.data import preparation
from ptn_semi.experiments.jobs import Job
from ptn_semi.utils import children, files, flags
from ptn_semi.utils.errors import UserError

_POLL = 0.2  # seconds


def run(jobs: Collection[Job], parallel: int = 1) -> dict[Job, str]:
    """Run the jobs that are not done, in order, after building the data sets that they need.

    Each job comes after the one that it starts from. Their commands end when this process ends.
    Jobs that run at once get equal shares of the processor's cores.

    Returns:
      {job: message} of the jobs that failed.

    Raises:
      UserError: if a data set cannot be built.
    """
    waiting = [job for job in jobs if not job.done]
    for data in dict.fromkeys(data for job in waiting for data in job.data_sets):
        preparation.prepare(data)
    # Systems other than Linux share out the cores themselves.
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    shares = [cores[i::parallel] or cores for i in range(parallel)]
    running: dict[Job, Generator[bool, None, None]] = {}
    started: list[subprocess.Popen] = []
    failed: dict[Job, str] = {}
    bar = tqdm.tqdm(  # of all jobs together, in expected seconds
        total=sum(job.training.seconds for job in jobs),
        initial=_seconds_done(jobs),
        smoothing=0,
        bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
    )
    with bar:
        try:
            while waiting or running:
                for job in list(waiting):
                    if job.start in failed:
                        failed[job] = f"it starts from {job.start.training.title}, which failed"
                        waiting.remove(job)
                    elif shares and job.start not in waiting and job.start not in running:
                        running[job] = _run_commands(job, shares.pop(), shares, started)
                        waiting.remove(job)
                for job, commands in list(running.items()):
                    try:
                        if next(commands, False):
                            continue
                        said = _summary(job)
                    except UserError as error:
                        said = failed[job] = str(error)
                    del running[job]
                    bar.write(f"{job.training.title}: {said}")
                _show_progress(bar, jobs)
                time.sleep(_POLL)
        finally:
            children.stop(started)  # all at once, so that each has time to save its state
    return failed


def _run_commands(
    job: Job, cores: list[int], shares: list[list[int]], started: list[subprocess.Popen]
) -> Generator[bool, None, None]:
    """Run a job's commands one after the other, and yield True while they run.

    The commands use `cores`, or all if the list is empty. The cores are returned to `shares`, and
    the processes are added to `started`, for the caller to stop.

    Raises:
      UserError: if a command fails.
    """
    log = job.folder / "log.txt"
    try:
        with files.replacing(job.folder / "run.flags") as partial:
            partial.write_text(flags.to_text(*job.settings()), encoding="utf-8")
        for command in job.commands():
            child = children.start(command, log)
            started.append(child)
            if cores:
                os.sched_setaffinity(child.pid, cores)
            while child.poll() is None:
                yield True
            if child.poll():
                raise UserError(children.failure(log, child))
        job.write_record()
    finally:
        shares.append(cores)


def _show_progress(bar: tqdm.tqdm, jobs: Collection[Job]) -> None:
    finished = sum(job.done for job in jobs)
    bar.set_description_str(f"{finished} of {len(jobs)} runs", refresh=False)
    bar.update(_seconds_done(jobs) - bar.n)


def _seconds_done(jobs: Collection[Job]) -> float:
    return sum(job.training.seconds - job.seconds_left for job in jobs)


def _summary(job: Job) -> str:
    """Format a finished job's scores as one line."""
    scores = [
        f"{category} AP {job.scores(category)['rows']['model']['mean']['average_precision']:.3f}"
        for category in job.categories
    ]
    return f"{', '.join(scores)} ({job.minutes:.1f} min)"
