"""Commands that run as child processes and end when the process that started them ends."""

import functools
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence

from ptn_semi.utils import files

_PROMPT = "$ python -m"


def start(
    command: Sequence[str], log: pathlib.Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen:
    """Start `python -m` with the arguments in `command`, and append its output to a log.

    Ctrl-C does not reach the child. The child ends at once when this process ends, even if this
    process is killed: its standard input is then closed.

    Raises:
      UserError: if the log cannot be written.
    """
    with files.explaining(log), open(log, "a", encoding="utf-8") as output:
        print(_PROMPT, *command, file=output, flush=True)
        return subprocess.Popen(
            [sys.executable, "-m", __name__, *command],
            stdin=_closed_at_end(),
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **(environment or {})},
            start_new_session=True,
        )


@functools.cache
def _closed_at_end() -> int:
    """Open a pipe that nobody writes to, which is closed when this process ends."""
    read_end, _ = os.pipe()
    return read_end


def stop(children: Iterable[subprocess.Popen]) -> None:
    """Interrupt children and wait until they have ended; trainings save a checkpoint."""
    children = list(children)
    for child in children:
        child.send_signal(signal.SIGTERM)
    for child in children:
        child.wait()


def failure(log: pathlib.Path, child: subprocess.Popen) -> str:
    """Return the error message in a log of its last command, or how that ended, and the log."""
    lines = log.read_text(encoding="utf-8", errors="replace").rpartition(_PROMPT)[2].splitlines()
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return f"{said[-1] if said else f'it ended with code {child.poll()}'}; see {log}"


def _end_with_parent():
    os.read(0, 1)  # returns when the pipe is closed
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
