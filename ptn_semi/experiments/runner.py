"""Does jobs through the package's own commands, several at once."""

import concurrent.futures
import os
import queue
import signal
import subprocess
import sys
import threading

import tqdm

from ptn_semi.data import preparation
from ptn_semi.training import workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_POLL = 1.0  # seconds


class Runner:
    """Does jobs, several at once.

    Args:
      parallel: how many at once; the processor's cores are shared out among them.
    """

    def __init__(self, parallel=1):
        self._parallel = parallel
        self._stopped = threading.Event()
        self._processes = set()
        self._cores = queue.SimpleQueue()
        cores = sorted(os.sched_getaffinity(0))
        for i in range(parallel):
            self._cores.put(cores[i::parallel] or cores)

    def run(self, jobs):
        """Does what is not done. Data sets are built first, then runs in order.

        Args:
          jobs: `jobs.Job`s, each after the one it starts from.

        Returns:
          {job: why it failed, in a sentence}.
        """
        waiting = [job for job in jobs if not job.done]
        for data in dict.fromkeys(data for job in waiting for data in job.data_sets):
            preparation.prepare(data)
        failed, running = {}, {}
        with _Bar(jobs) as bar, concurrent.futures.ThreadPoolExecutor(self._parallel) as pool:
            try:
                while waiting or running:
                    for job in list(waiting):
                        if job.start in failed:
                            failed[job] = f"it starts from {job.start.run.title}, which failed"
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
                        bar.write(f"{job.run.title}: {problem or _summary(job)}")
                    bar.show()
            except KeyboardInterrupt:
                self._stopped.set()
                for process in list(self._processes):
                    process.send_signal(signal.SIGTERM)  # trainings keep a checkpoint, then end
                pool.shutdown(cancel_futures=True)
                raise
        return failed

    def _do(self, job):
        """Does one job; returns what went wrong, or None."""
        cores = self._cores.get()
        try:
            with files.replacing(job.folder / "run.flags") as partial:
                partial.write_text(flags.to_text(*job.settings()))
            # Of a run that was killed with its training left alive.
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

    def _call(self, command, log_path, cores):
        if self._stopped.is_set():
            return "stopped"
        with open(log_path, "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that Ctrl-C reaches it through us alone
            )
            os.sched_setaffinity(process.pid, cores)
            self._processes.add(process)
            if self._stopped.is_set():  # just now, when it was not among them yet
                process.send_signal(signal.SIGTERM)
            code = process.wait()
            self._processes.discard(process)
        if code:
            lines = log_path.read_text(errors="replace").splitlines()
            said = [line for line in lines if line.startswith("error: ")]
            return f"{said[-1] if said else f'{command[0]} ended with code {code}'}; see {log_path}"
        return None


class _Bar:
    """The whole's progress, in expected seconds."""

    def __init__(self, jobs):
        self._jobs = jobs
        self._total = sum(job.run.seconds for job in jobs)
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

    def show(self):
        """Brings it up to date."""
        finished = sum(job.done for job in self._jobs)
        self._bar.set_description_str(f"{finished} of {len(self._jobs)} runs", refresh=False)
        self._bar.update(self._done() - self._bar.n)

    def write(self, line):
        """Prints a line above it."""
        self._bar.write(line)


def _summary(job):
    """A finished job's scores in a line."""
    scores = [
        f"{category} AP {job.scores(category)['rows']['model']['mean']['average_precision']:.3f}"
        for category in job.categories
    ]
    return f"{', '.join(scores)} ({job.record()['minutes']:.1f} min)"
