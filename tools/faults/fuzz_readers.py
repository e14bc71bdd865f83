"""Give thousands of damaged and hostile files to the readers of shapes and images.

    python -m tools.faults.fuzz_readers --files=2000 --seed=0 --keep=/tmp/failed

Each file must end in a result or in a `UserError` that names it, in time and within memory. A
reader may not write anything, read outside the folder or start another program, and what it reads
must be what the file says. File 17 of seed 0 is always the same, and --only=17 runs it alone. If
files fail, they are kept and the exit code is 1.
"""

import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from absl import app, flags
from tqdm import tqdm

from tools.faults import hostile_files
from tools.faults.reader_checks import Outcome, Watch, plant, try_case

FILES = flags.DEFINE_integer("files", 2000, "How many files.", lower_bound=1)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the files.")
ONLY = flags.DEFINE_integer("only", None, "Number of the only file to try.")
KEEP = flags.DEFINE_string("keep", None, "Folder for files that failed.")
SEEDS = flags.DEFINE_string("seeds", None, "Folder with more whole files to start from.")
SECONDS = flags.DEFINE_float("seconds", 60, "Longest time for a file.")
MEGABYTES = flags.DEFINE_integer(
    "megabytes", 1024, "Most memory for a file, beyond that at the start."
)

_SPARE = 4 << 30  # more bytes of address space that a process gets; the bound saves the machine


def work(connection: Connection, seed: int, seeds_folder: str | None, scratch: str) -> None:
    """Work as a process that tries the files whose numbers come and answers with outcomes.

    Args:
      connection: where numbers come from, with None as the last, and where outcomes go.
      seed: seed of the files.
      seeds_folder: folder with more whole files to start from.
      scratch: folder for the files.
    """
    seeds, watch = hostile_files.seed_files(seeds_folder), Watch()
    os.environ["TMPDIR"] = tempfile.tempdir = scratch
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _SPARE, used + _SPARE))
    connection.send(None)
    while (number := connection.recv()) is not None:
        connection.send(try_case(hostile_files.case(seed, number, seeds), watch, scratch))


class _Worker:
    """A process that is replaced by a new one if it dies or is too slow."""

    def __init__(self, *arguments):
        self._arguments, self._process = arguments, None

    def outcome(self, case, number, limit):
        """Try a file; it fails if it takes more than `limit` seconds or kills the process."""
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
        """Kill the process."""
        if self._process:
            self._process.kill()
            self._process.join()
        self._process = None


def fuzz(
    seed: int,
    numbers: Sequence[int],
    keep: str | os.PathLike | None = None,
    seeds_folder: str | None = None,
    seconds: float = 60,
    megabytes: int = 1024,
) -> list[Outcome]:
    """Try files and print those that failed.

    Args:
      seed: seed of the files.
      numbers: which files.
      keep: folder for files that failed; they are not kept if None.
      seeds_folder: folder with more whole files to start from.
      seconds: longest time for a file.
      megabytes: most memory for a file.

    Returns:
      The outcome of each file.
    """
    seeds = hostile_files.seed_files(seeds_folder)
    outcomes: list[Outcome] = []
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


def table(outcomes: Sequence[Outcome]) -> str:
    """Format a table of the outcomes by kind."""
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


def main(_: list[str]) -> None:
    """Parse flags, try the files and print a table."""
    numbers: Sequence[int] = [ONLY.value] if ONLY.value is not None else range(FILES.value)
    outcomes = fuzz(SEED.value, numbers, KEEP.value, SEEDS.value, SECONDS.value, MEGABYTES.value)
    print(table(outcomes))
    sys.exit(any(outcome.result == "failed" for outcome in outcomes))


if __name__ == "__main__":
    app.run(main)
