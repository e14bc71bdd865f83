"""Runner of jobs, which calls the package's own commands in several processes at once."""

import concurrent.futures
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence

import tqdm

from ptn_semi.data import preparation
from ptn_semi.experiments.jobs import Job
from ptn_semi.training import workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_POLL = 1.0  # seconds


class Runner:
    """Runs jobs, several at once.

    Args:
      parallel: number of jobs at once; each gets an equal share of the processor's cores.
    """

    def __init__(self, parallel: int = 1):
        self._parallel = parallel
        self._stopped = threading.Event()
        self._processes: set[subprocess.Popen] = set()
        self._cores: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        # Systems other than Linux share out the cores themselves.
        cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        for i in range(parallel):
            self._cores.put(cores[i::parallel] or cores)

    def run(self, jobs: Collection[Job]) -> dict[Job, str]:
        """Run the jobs that are not done, in order, after building the data sets that they need.

        Args:
          jobs: the jobs, each after the one that it starts from.

        Returns:
          {job: message} of the jobs that failed.

        Raises:
          UserError: if a data set cannot be built, or a job's scores cannot be read. Jobs that run
            are stopped.
        """
        waiting = [job for job in jobs if not job.done]
        for data in dict.fromkeys(data for job in waiting for data in job.data_sets):
            preparation.prepare(data)
        failed: dict[Job, str] = {}
        running: dict[concurrent.futures.Future[str | None], Job] = {}
        with _Bar(jobs) as bar, concurrent.futures.ThreadPoolExecutor(self._parallel) as pool:
            try:
                while waiting or running:
                    for job in list(waiting):
                        if job.start in failed:
                            failed[job] = f"it starts from {job.start.training.title}, which failed"
                        elif job.start in waiting or job.start in running.values():
                            continue
                        else:
                            running[pool.submit(self._do, job)] = job
                        waiting.remove(job)
                    finished, _ = concurrent.futures.wait(
                        running, _POLL, concurrent.futures.FIRST_COMPLETED
                    )
                    for future in finished:
                        job, problem = running.pop(future), future.result()
                        if problem:
                            failed[job] = problem
                        bar.write(f"{job.training.title}: {problem or _summary(job)}")
                    bar.show()
            except BaseException:  # Ctrl-C, or scores that cannot be read
                self._stopped.set()
                for process in list(self._processes):
                    process.send_signal(signal.SIGTERM)  # a training writes a checkpoint and ends
                pool.shutdown(cancel_futures=True)
                raise
        return failed

    def _do(self, job: Job) -> str | None:
        """Run a job; return a message if it failed, or None."""
        cores = self._cores.get()
        try:
            with files.replacing(job.folder / "run.flags") as partial:
                partial.write_text(flags.to_text(*job.settings()))
            # An earlier runner may have been killed while its training lives on.
            while workdirs.in_use(job.workdir) and not self._stopped.wait(_POLL):
                pass
            for command in job.commands():
                problem = self._call(command, job.folder / "log.txt", cores)
                if problem:
                    return problem
            job.write_record()
        except UserError as error:
            return str(error)
        finally:
            self._cores.put(cores)
        return None

    def _call(
        self, command: Sequence[str], log_path: pathlib.Path, cores: Sequence[int]
    ) -> str | None:
        """Run a command on some cores; return a message if it failed, or None."""
        if self._stopped.is_set():
            return "stopped"
        with open(log_path, "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C reaches it only through us
            )
            if cores:
                os.sched_setaffinity(process.pid, cores)
            self._processes.add(process)
            if self._stopped.is_set():  # the signals were sent before it was in the set
                process.send_signal(signal.SIGTERM)
            code = process.wait()
            self._processes.discard(process)
        if code:
            lines = log_path.read_text(errors="replace").splitlines()
            said = [line for line in lines if line.startswith("error: ")]
            return f"{said[-1] if said else f'{command[0]} ended with code {code}'}; see {log_path}"
        return None


class _Bar:
    """A progress bar of all jobs together, in expected seconds."""

    def __init__(self, jobs: Collection[Job]):
        self._jobs = jobs
        self._total = sum(job.training.seconds for job in jobs)
        self._bar = tqdm.tqdm(
            total=self._total,
            initial=self._done(),
            smoothing=0,
            bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        )
        self.show()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def _done(self):
        return self._total - sum(job.seconds_left for job in self._jobs)

    def show(self) -> None:
        """Show the current progress."""
        finished = sum(job.done for job in self._jobs)
        self._bar.set_description_str(f"{finished} of {len(self._jobs)} runs", refresh=False)
        self._bar.update(self._done() - self._bar.n)

    def write(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.write(line)


def _summary(job: Job) -> str:
    """Format a finished job's scores as one line."""
    scores = [
        f"{category} AP {job.scores(category)['rows']['model']['mean']['average_precision']:.3f}"
        for category in job.categories
    ]
    return f"{', '.join(scores)} ({job.record()['minutes']:.1f} min)"
