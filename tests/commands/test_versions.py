"""Old versions and missing packages are reported in one sentence that names the fix."""

import ast
import functools
import pathlib
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

import ptn_semi
from ptn_semi.training import trainer
from ptn_semi.utils import cli, interrupts
from ptn_semi.utils.errors import UserError
from support import processes
from support.forked_children import ForkedChild

OLD = "sys.version_info = (3, 8, 10, 'final', 0)"
BARE = "sys.path = [path for path in sys.path if 'site-packages' not in path]"


@pytest.mark.parametrize(
    ("change", "said"),
    [(OLD, "needs Python 3.11 or newer, not 3.8"), (BARE, "are not installed here: pip install")],
)
def test_old_python_and_missing_packages(change, said):
    # As `python -m` does it, but for what it prints before.
    code = f"import runpy, sys; {change}; runpy._run_module_as_main('ptn_semi.train')"
    root = pathlib.Path(ptn_semi.__file__).parent.parent
    command = [sys.executable, "-S" if change == BARE else "-s", "-c", code]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ended.returncode == 1 and said in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr


def test_old_pythons_can_parse_the_check_of_their_version():
    source = pathlib.Path(ptn_semi.__file__).read_text()
    ast.parse(source, feature_version=(3, 6))


@pytest.mark.parametrize(
    ("command", "missing", "fix"),
    [
        ("tune --workdir=w", "keras_tuner", "pip install -e ."),
        ("demo --model=m", "gradio", "pip install 'ptn_semi[demo]'"),
        ("demo --model=hf://user/model", "huggingface_hub", "pip install 'ptn_semi[hub]'"),
        ("build_data --runner=direct", "apache_beam", "pip install -e '.[beam]'"),
        ("export --workdir=w --output=m --format=onnx", "tf2onnx", "ptn_semi[onnx]"),
        ("export --workdir=w --output=1", "tensorflow_serving", "ptn_semi[serving]"),
    ],
)
def test_missing_package(command, missing, fix):
    ended = processes.main(*f"ptn_semi.{command}".split(), without=missing)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("error: ") and fix in sentence


def old_tensorflow(folder):
    tf.__version__ = "2.15.1"
    with (
        pytest.raises(UserError, match=r"2\.15\.1 is too old: pip install 'tensorflow>="),
        cli.loading(),
    ):
        pass


def test_old_tensorflow(tmp_path):
    processes.call(old_tensorflow, tmp_path)


def stop_trainings(number=signal.SIGINT):
    """Has a training stop itself as Ctrl-C does."""
    if signal.getsignal(number) == signal.SIG_IGN:  # if the tests were started by nohup
        signal.signal(number, signal.SIG_DFL)
    trainer.train = lambda *_: signal.raise_signal(number)


@pytest.mark.parametrize("number", interrupts.SIGNALS, ids=str)
def test_a_stopped_command_ends_with_130(tmp_path, number):
    folders = f"--workdir={tmp_path / 'run'}", f"--data_dir={tmp_path / 'data'}"
    stop = functools.partial(stop_trainings, number)
    child = ForkedChild(stop, ["ptn_semi.train", *folders], tmp_path / "log.txt")
    assert child.wait() == 130, (tmp_path / "log.txt").read_text()
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
