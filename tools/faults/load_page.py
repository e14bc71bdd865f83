"""Shows that the page withstands hostile requests, on this machine alone.

    python -m tools.faults.load_page --model=runs/quickstart --requests=2000 --seconds=60 --seed=0

Starts `ptn_semi.demo` on a free port and sends it what `hostile.py` thinks of, in a seeded mix,
while visitors ask for a reconstruction of the example all the time. Without --model an untrained
model is made for it. Fails unless every hostile request is refused, nothing of the machine comes
back, every visit is answered as before the load, memory stays within --max_growth_mb, and the page
ends when told to. Linux only: it reads /proc, and gives hostile clients addresses of their own.
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

import httpx
from absl import app, flags, logging

from ptn_semi.models import architectures
from tools.faults import visitors

MODEL = flags.DEFINE_string("model", None, "As ptn_semi.demo's; an untrained one if not given.")
REQUESTS = flags.DEFINE_integer("requests", 2000, "Hostile requests.", 1, 100_000)
SECONDS = flags.DEFINE_integer("seconds", 60, "Longest time for them.", 1, 3600)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the requests.")
MAX_GROWTH = flags.DEFINE_integer("max_growth_mb", 200, "Bound of the peak memory's growth.")
_TO_START, _TO_END = 120, 20  # seconds
_WARM_UP = 20  # visits


def untrained(folder):
    """Writes a checkpoint of a small model that has learnt nothing."""
    import keras

    from ptn_semi.models import checkpoints
    from ptn_semi.models.reconstructor import SemiSupervisedReconstructor

    model = SemiSupervisedReconstructor(architectures.PRESETS["small"])
    model.compile(*(keras.optimizers.Adam() for _ in range(3)))
    return checkpoints.save(folder, model, {}, keep=set()).path


@contextlib.contextmanager
def serving(model):
    """A page in a process of its own, as a user starts it: (process, url)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ptn_semi.demo", f"--model={model}", f"--port={port}"]
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


def memory(process):
    """Peak resident memory of a process, in MB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def seconds_to_end(process):
    """How long a process takes to end when told to; None if it does not."""
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_TO_END)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - started


def show(load):
    """Prints a table of the hostile requests by kind and outcome."""
    for kind, outcomes in sorted(load.outcomes.items()):
        counted = ", ".join(f"{outcome}: {n}" for outcome, n in outcomes.most_common())
        print(f"{kind:20} {outcomes.total():6}  {counted}")


def main(_):
    """Starts the page, loads it, and checks what was promised."""
    logging.set_verbosity(logging.WARNING)  # httpx reports every request
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process, url = stack.enter_context(serving(MODEL.value or untrained(folder)))
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
        f"hostile requests were not refused, first {load.broken[:3]}": not load.broken,
        f"visits failed, first {load.failed[:3]}": load.seconds and not load.failed,
        f"memory grew by over {MAX_GROWTH.value} MB": after - before <= MAX_GROWTH.value,
        "the page did not live, or did not end": ended is not None,
    }
    if broken := [text for text, kept in promises.items() if not kept]:
        sys.exit(f"error: {'; '.join(broken)}")


if __name__ == "__main__":
    app.run(main)
