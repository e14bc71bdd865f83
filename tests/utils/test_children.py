"""Child processes end with the process that started them, and their errors are found."""

import os
import signal
import subprocess
import sys

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
    children.start(["ptn_semi.train", "--steps=0"], log).wait()
    assert children.failure(log).startswith("flag --steps=0: ")
    assert children.failure(log).endswith(f"; see {log}")
    children.start(["ptn_semi", "help"], log).wait()
    assert children.failure(log) == f"see {log}"
