"""Runner of jobs, which calls the package's own commands in several processes at once."""

import os
import subprocess
import sys
import time
from collections.abc import Collection

import tqdm

from ptn_semi.data import preparation
from ptn_semi.experiments.jobs import Job
from ptn_semi.utils import children, files, flags
from ptn_semi.utils.errors import UserError

_POLL = 0.2  # seconds


def run(jobs: Collection[Job], parallel: int = 1) -> dict[Job, str]:
    """Run the jobs that are not done, in order, after building the data sets that they need.

    The commands of the jobs end when this process ends.

    Args:
      jobs: the jobs, each after the one that it starts from.
      parallel: number of jobs at once; each gets an equal share of the processor's cores.

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
    free = [cores[i::parallel] or cores for i in range(parallel)]
    running: list[_RunningJob] = []
    failed: dict[Job, str] = {}
    with _progress_bar(jobs) as bar:
        try:
            while waiting or running:
                unfinished = [*waiting, *(each.job for each in running)]
                for job in list(waiting):
                    if job.start in failed:
                        failed[job] = f"it starts from {job.start.training.title}, which failed"
                        waiting.remove(job)
                    elif free and job.start not in unfinished:
                        running.append(_RunningJob(job, free.pop()))
                        waiting.remove(job)
                for each in list(running):
                    try:
                        if not each.has_ended():
                            continue
                        said = _summary(each.job)
                    except UserError as error:
                        said = failed[each.job] = str(error)
                    bar.write(f"{each.job.training.title}: {said}")
                    running.remove(each)
                    free.append(each.cores)
                _show_progress(bar, jobs)
                time.sleep(_POLL)
        finally:
            children.stop(each.child for each in running)
    return failed


class _RunningJob:
    """A job whose commands run one after the other.

    Args:
      job: the job.
      cores: the processor's cores that its commands use; all of them if there are none.

    Attributes:
      child: the process of the current command.
    """

    child: subprocess.Popen

    def __init__(self, job: Job, cores: list[int]):
        self.job, self.cores = job, cores
        with files.replacing(job.folder / "run.flags") as partial:
            partial.write_text(flags.to_text(*job.settings()))
        self._log = job.folder / "log.txt"
        self._commands = job.commands()
        self._start(next(self._commands))

    def _start(self, command):
        self.child = children.start(command, self._log)
        if self.cores:
            os.sched_setaffinity(self.child.pid, self.cores)

    def has_ended(self) -> bool:
        """Start the next command if the current one has ended; return whether none is left.

        Raises:
          UserError: if the current command failed.
        """
        code = self.child.poll()
        if code:
            raise UserError(children.failure(self._log))
        if code is None:
            return False
        command = next(self._commands, None)
        if command is None:
            self.job.write_record()
            return True
        self._start(command)
        return False


def _progress_bar(jobs: Collection[Job]) -> tqdm.tqdm:
    """Create a progress bar of all jobs together, in expected seconds."""
    return tqdm.tqdm(
        total=sum(job.training.seconds for job in jobs),
        initial=_seconds_done(jobs),
        smoothing=0,
        bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
    )


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
    return f"{', '.join(scores)} ({job.record()['minutes']:.1f} min)"
