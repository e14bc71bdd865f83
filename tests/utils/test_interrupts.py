"""Signals that ask a command to stop."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from ptn_semi.utils import interrupts


@pytest.fixture(autouse=True)
def own_handlers():
    """Restores the handlers of the test's process."""
    kept = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    for number in interrupts.SIGNALS:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", interrupts.SIGNALS, ids=str)
def test_each_signal_is_a_keyboard_interrupt(number):
    interrupts.raise_interrupts()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_signals_that_come_together_are_one_interrupt(monkeypatch):
    interrupts.raise_interrupts()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
    # One that comes later asks again.
    later = interrupts.time.monotonic() + 10
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: later)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_nohup_ignores_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts.raise_interrupts()
    signal.raise_signal(signal.SIGHUP)


def test_signals_are_ignored_for_a_while():
    with interrupts.ignored():
        for number in interrupts.SIGNALS:
            signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


# As in the modules of trimesh that import what is optional.
SWALLOWING = """
import signal
from ptn_semi.utils import interrupts
interrupts.raise_interrupts()
with interrupts.end_at_once():
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:
        pass
"""


def test_imports_cannot_swallow_a_signal():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", SWALLOWING], env=environment, capture_output=True)
    assert (ended.returncode, ended.stderr) == (130, b"")
    with interrupts.end_at_once():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_other_threads_leave_signals_as_they_are():
    found = []

    def work():
        with interrupts.ignored():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
