"""Signals that ask a command to stop: Ctrl-C, and those that clusters send before they kill a job.

A command takes all of them as Ctrl-C, a `KeyboardInterrupt`, so that a training saves its state.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
_TOGETHER = 1.0  # seconds within which signals are one request, as if several programs pass it on


def raise_interrupts() -> None:
    """Make the signals raise `KeyboardInterrupt`; call this in the main thread of a command.

    Signals that the process was started to ignore, as by `nohup`, stay ignored.
    """
    last = -_TOGETHER

    def interrupt(number, frame):
        nonlocal last
        before, last = last, time.monotonic()
        if last - before >= _TOGETHER:
            raise KeyboardInterrupt

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)


@contextlib.contextmanager
def end_at_once() -> Iterator[None]:
    """Have the signals end the process with exit code 130 within the context, as during imports.

    Some packages, such as trimesh, take a `KeyboardInterrupt` while they import another for a sign
    that the other is missing, and go on.
    """
    with _handled_by(lambda number, frame: os._exit(130)):
        yield


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Ignore the signals within the context, as while the state is saved after one of them.

    Only the main thread can do so; in another thread, which Python does not interrupt, nothing
    happens.
    """
    with _handled_by(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled_by(new: Any) -> Iterator[None]:
    """Replace the signals' handler, but for signals that are ignored already."""
    kept = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS}
        kept = {number: old for number, old in before.items() if old != signal.SIG_IGN}
    try:
        for number in kept:
            signal.signal(number, new)
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:  # one that was not set from Python cannot be put back
                signal.signal(number, handler)
