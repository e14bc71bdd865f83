"""Text is written and read as UTF-8, whatever the encoding of the locale."""

import ast
import os
import pathlib
import subprocess
import sys

import ptn_semi
from ptn_semi.settings import DataSettings
from ptn_semi.training import workdirs

ROOT = pathlib.Path(ptn_semi.__file__).parents[1]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SOURCES = sorted(
    path
    for folder in ("ptn_semi", "datasets/shapenet_posed_masks", "tools")
    for path in (ROOT / folder).rglob("*.py")
)
WRITE = r"""
import pathlib, sys
from ptn_semi import settings
from ptn_semi.training import workdirs
data = settings.DataSettings(manual_dir="/donn\xe9es/\u5f62")
workdir = pathlib.Path(sys.argv[1])
workdirs.write_settings(workdir, data, settings.TrainSettings(), settings.RunSettings())
assert workdirs.read_settings(workdir)[0] == data
"""


def run(*arguments):
    environment = os.environ | ASCII | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True
    )


def test_settings_that_were_written_under_another_locale_are_read(tmp_path):
    ended = run("-c", WRITE, tmp_path)
    assert ended.returncode == 0, ended.stderr
    data, _, _ = workdirs.read_settings(tmp_path)
    assert data == DataSettings(manual_dir="/données/形")


def test_a_path_that_the_locale_cannot_express_is_refused_in_one_sentence(tmp_path):
    flagfile = tmp_path / "my.flags"
    flagfile.write_text("--workdir=é", encoding="utf-8")
    for given in (f"--workdir={tmp_path}/é", f"--flagfile={flagfile}"):
        ended = run("-m", "ptn_semi.train", given)
        (sentence,) = ended.stderr.splitlines()
        assert sentence.startswith("error: ") and "in ASCII: set PYTHONUTF8=1" in sentence
    assert list(tmp_path.iterdir()) == [flagfile]


def opens_text_in_the_encoding_of_the_locale(call):
    """Whether a call of `open`, `read_text` or `write_text` names no encoding."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "open":
        if isinstance(call.func, ast.Attribute):  # os.open, gzip.open, Image.open: bytes
            return False
        if any("b" in ast.literal_eval(mode) for mode in call.args[1:2]):
            return False
    elif name not in ("read_text", "write_text"):
        return False
    return all(keyword.arg != "encoding" for keyword in call.keywords)


def test_all_text_files_are_opened_as_utf8():
    found = []
    for path in SOURCES:
        calls = [n for n in ast.walk(ast.parse(path.read_bytes())) if isinstance(n, ast.Call)]
        lines = [call.lineno for call in calls if opens_text_in_the_encoding_of_the_locale(call)]
        found += [f"{path}:{line}" for line in lines]
    assert SOURCES and not found
