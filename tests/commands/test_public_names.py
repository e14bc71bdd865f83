"""The names that `import ptn_semi` gives, what they cost, and the command `ptn-semi`."""

import ast
import pathlib
import subprocess
import sys

import pytest

import ptn_semi
from ptn_semi.__main__ import COMMANDS


def test_public_names_can_be_used_and_others_are_refused():
    for name in ptn_semi.__all__:
        assert getattr(ptn_semi, name) is getattr(ptn_semi, name)
        assert name in dir(ptn_semi)
    with pytest.raises(AttributeError, match="no attribute 'load_models'"):
        ptn_semi.load_models  # noqa: B018


def test_type_checkers_see_the_public_names():
    source = pathlib.Path(ptn_semi.__file__)
    [condition] = [
        node
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    seen = {alias.asname: line.module for line in condition.body for alias in line.names}
    assert seen == ptn_semi._MODULES
    assert source.with_name("py.typed").exists()


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def test_all_commands_can_be_imported_together_and_without_tensorflow():
    code = f"""
import sys, ptn_semi
from ptn_semi import {", ".join(COMMANDS)}
print(ptn_semi.UserError, 'tensorflow' in sys.modules)
import tools.reproduce, tools.compare_runs, tools.compare_views
"""
    ended = run_python("-c", code)
    assert ended.returncode == 0 and ended.stdout.endswith(" False\n"), ended.stderr


def ptn_semi_command(*arguments):
    return run_python("-m", "ptn_semi", *arguments)


def test_one_command_runs_all():
    listed = ptn_semi_command("help").stdout
    assert all(f"  {name} " in listed for name in COMMANDS)
    flags = ptn_semi_command("export", "--help").stdout
    assert flags.startswith("Exports a model") and "--format" in flags
    wrong = ptn_semi_command("export", "--nope")
    assert wrong.returncode == 1 and wrong.stderr.startswith("error: Unknown command line flag")


def test_help_without_docstrings():
    listed = run_python("-OO", "-m", "ptn_semi", "help")
    assert listed.returncode == 0, listed.stderr
    assert all(f"  {name}" in listed.stdout for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["--workdir=w"]])
def test_unknown_commands_are_refused(arguments):
    ended = ptn_semi_command(*arguments)
    assert ended.returncode == 1 and "give one of train, evaluate" in ended.stderr
    assert "Traceback" not in ended.stderr
