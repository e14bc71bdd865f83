"""Child processes end with the process that started them, and their errors are found."""

import os
import signal
import subprocess
import sys

import pytest

from ptn_semi.utils import children

SLEEPER = """
import os, sys, time
with open(sys.argv[1], "w") as pipe:  # open until this process ends
    pipe.write(str(os.getpid()))
    pipe.flush()
    time.sleep(600)
"""
PARENT = """
import pathlib, sys, time
from ptn_semi.utils import children
children.start(["sleeper", sys.argv[1]], pathlib.Path("log.txt"))
time.sleep(600)
"""


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    """The name of a pipe, for which `sleeper` is a command that opens it and sleeps."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", *sys.path]))
    os.mkfifo("pipe")
    return "pipe"


def test_children_end_when_their_parent_is_killed(sleeper):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, sleeper])
    with open(sleeper) as pipe:
        assert pipe.read(1)  # the child runs
        parent.kill()
        pipe.read()  # returns once the child has ended
    assert parent.wait() == -signal.SIGKILL


def test_children_are_stopped(sleeper, tmp_path):
    child = children.start(["sleeper", sleeper], tmp_path / "log.txt")
    with open(sleeper) as pipe:
        pipe.read(1)
        children.stop([child])
    assert child.returncode == -signal.SIGTERM


def test_the_last_error_of_a_child_is_found(tmp_path):
    log = tmp_path / "log.txt"
    children.start(["ptn_semi.train", "--nope", "--workdir=w"], log).wait()
    child = children.start(["ptn_semi.train", "--steps=0"], log, {"PTN_SEMI_TEST": "1"})
    assert child.wait() == 1
    assert children.failure(log).startswith("flag --steps=0: ")
    assert children.failure(log).endswith(f"; see {log}")
    log.write_text("Traceback\n")
    assert children.failure(log) == f"see {log}"
