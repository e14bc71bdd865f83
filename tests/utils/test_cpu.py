"""oneDNN is on wherever TensorFlow is loaded through this package."""

import os
import pathlib
import platform
import subprocess
import sys

import pytest

from ptn_semi.utils import cpu

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
X86 = platform.machine() in ("x86_64", "AMD64")
# Ends at the first import of TensorFlow, and tells what it would find.
AT_TENSORFLOW = """
import os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            print(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), flush=True)
            os._exit(0)

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.skipif(not X86, reason="oneDNN is for x86")
@pytest.mark.parametrize(
    ("entry", "chosen"),
    [
        ("import ptn_semi, tensorflow", None),
        ("import ptn_semi, tensorflow", "0"),
        ("import shapenet_posed_masks, tensorflow", None),
        ("import runpy; runpy.run_path('tests/conftest.py'); import tensorflow", None),
    ],
)
def test_onednn_is_on_before_tensorflow_is_loaded_unless_the_user_chose(entry, chosen, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([".", "datasets"]))
    if chosen:
        monkeypatch.setenv(VARIABLE, chosen)
    ended = subprocess.run(
        [sys.executable, "-c", AT_TENSORFLOW + entry],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split()[-1] == (chosen or "1")


@pytest.mark.skipif(not X86, reason="oneDNN is for x86")
def test_onednn_is_on_if_it_was_asked_for():
    assert cpu.onednn_is_on() == (os.environ[VARIABLE] != "0")


def test_importing_tensorflow_first_warns_if_onednn_is_off(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(cpu, "onednn_is_on", lambda: False)
    with pytest.warns(UserWarning, match="import ptn_semi first"):
        cpu.use_onednn()


@pytest.mark.parametrize(
    ("text", "names", "bfloat16"),
    [
        ("processor\t: 0\nflags\t\t: avx2 fma\nflags\t\t: fpu\n", {"avx2", "fma"}, False),
        ("flags\t\t: avx2 avx512_bf16\n", {"avx2", "avx512_bf16"}, True),
        ("Features\t: fp asimd\n", set(), False),  # as on ARM
        (None, set(), False),  # as on macOS
    ],
)
def test_instruction_sets(text, names, bfloat16, monkeypatch, tmp_path):
    if text:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(pathlib, "Path", lambda path: tmp_path / "cpuinfo")
    assert cpu.instruction_sets() == names
    assert cpu.computes_in_bfloat16() == bfloat16
