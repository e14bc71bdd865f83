"""Show that the page withstands hostile requests. Everything stays on this machine.

    python -m tools.faults.load_page --requests=2000 --seconds=60 --seed=0

This starts `ptn_semi.demo` on a free port and sends it the requests of `hostile.py` in a seeded
mix. Meanwhile visitors keep asking for a reconstruction of the example. It fails unless the page
refuses every hostile request, gives away no file of the machine, answers every visit as before the
load, keeps its memory within --max_growth_mb and ends when it is told to. It needs Linux, because
it reads /proc and gives hostile clients addresses of their own.
"""

import contextlib
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import httpx
from absl import app, flags, logging

from tools.faults import visitors

MODEL = flags.DEFINE_string("model", None, "Model for ptn_semi.demo, if not the package's.")
REQUESTS = flags.DEFINE_integer("requests", 2000, "How many hostile requests.", 1, 100_000)
SECONDS = flags.DEFINE_integer("seconds", 60, "Longest time for them.", 1, 3600)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the requests.")
MAX_GROWTH = flags.DEFINE_integer("max_growth_mb", 200, "Largest growth of the peak memory.")
_TO_START, _TO_END = 120, 20  # seconds
_WARM_UP = 20  # visits


@contextlib.contextmanager
def serving(model: str | None) -> Iterator[tuple[subprocess.Popen, str]]:
    """Serve the page in a new process, as a user starts it; yield (process, url)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ptn_semi.demo", f"--port={port}"]
    command += [f"--model={model}"] if model else []
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait_for(process, url, log)
            yield process, url
        finally:
            process.kill()
            process.wait()


def _wait_for(process, url, log):
    deadline = time.monotonic() + _TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, timeout=10)
            return
        time.sleep(0.2)
    log.seek(0)
    sys.exit(f"error: the page did not start: {log.read().strip()}")


def memory(process: subprocess.Popen) -> float:
    """Return the peak resident memory of a process in MB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found, "Linux tells VmHWM of every process"
    return int(found[1]) / 1024


def seconds_to_end(process: subprocess.Popen) -> float | None:
    """Tell a process to end; return the seconds that it takes, or None if it does not end."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_TO_END)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - started


def show(load: visitors.Load) -> None:
    """Print a table of the hostile requests by kind and outcome."""
    for kind, outcomes in sorted(load.outcomes.items()):
        counted = ", ".join(f"{outcome}: {n}" for outcome, n in outcomes.most_common())
        print(f"{kind:20} {outcomes.total():6}  {counted}")


def main(_argv: list[str]) -> None:
    """Start the page, load it, and check what was promised."""
    logging.set_verbosity(logging.WARNING)  # httpx reports every request
    with contextlib.ExitStack() as stack:
        process, url = stack.enter_context(serving(MODEL.value))
        for _ in range(_WARM_UP):
            visitors.visit(url)
        before = memory(process)
        load = visitors.load(url, REQUESTS.value, SECONDS.value, SEED.value)
        alive = process.poll() is None
        after = memory(process) if alive else float("inf")
        ended = seconds_to_end(process) if alive else None
    show(load)
    median, worst = (f"{of(load.seconds or [0]):.2f} s" for of in (statistics.median, max))
    visits = len(load.seconds) + len(load.failed)
    print(f"visits answered: {len(load.seconds)} of {visits}, median {median}, worst {worst}")
    print(f"peak memory: {before:.0f} MB after {_WARM_UP} visits, {after:.0f} MB at the end")
    print("did not end" if ended is None else f"ended {ended:.1f} s after SIGTERM")
    promises = {
        f"hostile requests were not refused, the first being {load.broken[:3]}": not load.broken,
        f"visits failed, the first with {load.failed[:3]}": load.seconds and not load.failed,
        f"memory grew by more than {MAX_GROWTH.value} MB": after - before <= MAX_GROWTH.value,
        "the page died under load, or did not end when told to": ended is not None,
    }
    if broken := [text for text, kept in promises.items() if not kept]:
        sys.exit(f"error: {'; '.join(broken)}")


if __name__ == "__main__":
    app.run(main)
