"""The names that `import ptn_semi` gives, and what they cost."""

import subprocess
import sys

import pytest

import ptn_semi


@pytest.mark.parametrize("name", ptn_semi.__all__)
def test_public_names_are_there(name):
    assert getattr(ptn_semi, name) is getattr(ptn_semi, name)
    assert name in dir(ptn_semi)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'load_models'"):
        ptn_semi.load_models  # noqa: B018


def test_importing_the_package_alone_loads_no_tensorflow():
    code = "import sys, ptn_semi; print(ptn_semi.UserError, 'tensorflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout.endswith(" False\n"), ended.stderr


def test_commands_can_be_imported_together():
    commands = "train, evaluate, reconstruct, export, demo, tune, build_data"
    code = f"from ptn_semi import {commands}\nimport tools.reproduce, tools.compare_runs"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
