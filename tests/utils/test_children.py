"""Child processes end with the process that started them, and their errors are found."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from ptn_semi.utils import children
from ptn_semi.utils.errors import UserError

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


def test_children_end_when_their_parent_is_killed(tmp_path):
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    os.mkfifo(tmp_path / "pipe")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["", *sys.path])}
    command = [sys.executable, "-c", PARENT, "pipe"]
    parent = subprocess.Popen(command, cwd=tmp_path, env=environment)
    with open(tmp_path / "pipe") as pipe:
        assert pipe.read(1)  # the child runs
        parent.kill()
        pipe.read()  # returns once the child has ended
    assert parent.wait() == -signal.SIGKILL


def test_only_an_error_of_the_last_command_is_found(tmp_path):
    log = tmp_path / "log.txt"
    failed = children.start(["ptn_semi.train", "--steps=0"], log)
    failed.wait()
    assert children.failure(log, failed).startswith("flag --steps=0: ")
    assert children.failure(log, failed).endswith(f"; see {log}")
    silent = children.start(["ptn_semi", "help"], log)
    silent.wait()
    assert children.failure(log, silent) == f"it ended with code 0; see {log}"


def test_a_log_that_cannot_be_written_is_named():
    full = pathlib.Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UserError, match="/dev/full could not be written"):
        children.start(["ptn_semi", "help"], full)
