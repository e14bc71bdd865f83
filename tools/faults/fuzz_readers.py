"""Gives the readers of shapes and images thousands of damaged and hostile files.

    python -m tools.faults.fuzz_readers --files=2000 --seed=0 --keep=/tmp/failed

Each file must end in a result or in a `UserError` that names it, in time and within memory; nothing
may be written, nothing outside the folder read, no other program started, and what is read must be
what the file says. File 17 of seed 0 is always the same: --only=17 runs it alone. Files that
failed are kept, the exit code is then 1.
"""

import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
import time

from absl import app, flags
from tqdm import tqdm

from tools.faults import hostile_files
from tools.faults.reader_checks import Outcome, Watch, plant, try_case

FILES = flags.DEFINE_integer("files", 2000, "How many files.", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the files.")
ONLY = flags.DEFINE_integer("only", None, "Number of the one file to try.")
KEEP = flags.DEFINE_string("keep", None, "Folder for files that failed.")
SEEDS = flags.DEFINE_string("seeds", None, "Folder of more whole files to start from.")
SECONDS = flags.DEFINE_float("seconds", 60, "Longest time for a file.")
MEGABYTES = flags.DEFINE_integer("megabytes", 1024, "Most memory for a file, over the start's.")

_SPARE = 4 << 30  # bytes of address space that a process gets, so that the machine survives it


def work(connection, seed, seeds_folder, scratch):
    """A worker: tries the files whose numbers come, and answers with outcomes."""
    seeds, watch = hostile_files.seed_files(seeds_folder), Watch()
    os.environ["TMPDIR"] = tempfile.tempdir = scratch
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _SPARE, used + _SPARE))
    connection.send(None)
    while (number := connection.recv()) is not None:
        connection.send(try_case(hostile_files.case(seed, number, seeds), watch, scratch))


class _Worker:
    """A process that is started anew when it died or was too slow."""

    def __init__(self, *arguments):
        self._arguments, self._process = arguments, None

    def outcome(self, case, number, limit):
        """The `Outcome` of a file; one that takes over `limit` seconds, or kills, failed."""
        if not self._process:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=work, args=(theirs, *self._arguments))
            self._process.start()
            theirs.close()
            self._connection.recv()
        start = time.perf_counter()
        self._connection.send(number)
        try:
            if self._connection.poll(limit):
                return self._connection.recv()
            fault = f"not done after {limit:g} s"
        except (EOFError, ConnectionResetError):
            fault = "the process died"
        self.stop()
        return Outcome(case.kind, "failed", fault, time.perf_counter() - start)

    def stop(self):
        """Ends the process."""
        if self._process:
            self._process.kill()
            self._process.join()
        self._process = None


def fuzz(seed, numbers, keep=None, seeds_folder=None, seconds=60, megabytes=1024):
    """Tries files; returns an `Outcome` for each number, and prints those that failed."""
    seeds, outcomes = hostile_files.seed_files(seeds_folder), []
    with tempfile.TemporaryDirectory() as scratch:
        worker = _Worker(seed, seeds_folder, scratch)
        for number in tqdm(numbers, unit="file", disable=len(numbers) < 2):
            case = hostile_files.case(seed, number, seeds)
            outcome = worker.outcome(case, number, seconds)
            if outcome.megabytes > megabytes:
                outcome.result, outcome.detail = "failed", f"{outcome.megabytes:.0f} MB"
            outcomes.append(outcome)
            if outcome.result == "failed" or len(numbers) == 1:
                tqdm.write(f"{number} {case.kind} {case.mutations}: {outcome}")
            if outcome.result == "failed" and keep:
                plant(case, pathlib.Path(keep, f"{seed}_{number}_{case.kind}"))
        worker.stop()
    return outcomes


def table(outcomes):
    """Outcomes by kind, as text."""
    lines = ["kind      files  refused  accepted  failed  slowest  most memory"]
    for kind in sorted({outcome.kind for outcome in outcomes}):
        some = [outcome for outcome in outcomes if outcome.kind == kind]
        refused, accepted, failed = (
            sum(outcome.result == result for outcome in some)
            for result in ("refused", "accepted", "failed")
        )
        slowest = max(outcome.seconds for outcome in some)
        most = max(outcome.megabytes for outcome in some)
        lines.append(
            f"{kind:8}  {len(some):5}  {refused:7}  {accepted:8}  {failed:6}  {slowest:5.2f} s"
            f"  {most:8.0f} MB"
        )
    return "\n".join(lines)


def main(_):
    """Parses flags and calls."""
    numbers = [ONLY.value] if ONLY.value is not None else range(FILES.value)
    outcomes = fuzz(SEED.value, numbers, KEEP.value, SEEDS.value, SECONDS.value, MEGABYTES.value)
    print(table(outcomes))
    sys.exit(any(outcome.result == "failed" for outcome in outcomes))


if __name__ == "__main__":
    app.run(main)
