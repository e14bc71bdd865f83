"""oneDNN is on wherever TensorFlow is loaded through this package."""

import os
import pathlib
import platform
import subprocess
import sys

import pytest

from ptn_semi.utils import cpu

ROOT = pathlib.Path(__file__).parents[2]
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


def child(code, **variables):
    """The last word that a fresh process prints, with VARIABLE only if it is given."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    path = os.pathsep.join([str(ROOT), str(ROOT / "datasets")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PYTHONPATH": path} | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]


@pytest.mark.skipif(not X86, reason="oneDNN is for x86")
@pytest.mark.parametrize(
    "entry",
    [
        "import ptn_semi, tensorflow",
        "import shapenet_posed_masks.shapenet_posed_masks_dataset_builder",
        "import runpy; runpy.run_path('tests/conftest.py'); import tensorflow",
    ],
)
def test_onednn_is_asked_for_before_tensorflow_is_loaded(entry):
    assert child(AT_TENSORFLOW + entry) == "1"


def test_the_users_own_choice_stands():
    assert child(AT_TENSORFLOW + "import ptn_semi, tensorflow", **{VARIABLE: "0"}) == "0"


@pytest.mark.skipif(not X86, reason="oneDNN is for x86")
def test_onednn_is_on_if_it_was_asked_for():
    assert cpu.onednn_is_on() == (os.environ[VARIABLE] != "0")


def test_importing_tensorflow_first_warns_if_onednn_is_off(monkeypatch):
    import tensorflow  # noqa: F401

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(cpu, "onednn_is_on", lambda: False)
    with pytest.warns(UserWarning, match="import ptn_semi first"):
        cpu.use_onednn()


@pytest.mark.parametrize(
    ("text", "names", "bfloat16"),
    [
        (
            "processor\t: 0\nflags\t\t: fpu avx2 fma\nflags\t\t: fpu\n",
            {"fpu", "avx2", "fma"},
            False,
        ),
        ("flags\t\t: avx2 avx512_bf16\n", {"avx2", "avx512_bf16"}, True),
        ("Features\t: fp asimd\n", set(), False),  # as on ARM
    ],
)
def test_instruction_sets(text, names, bfloat16, monkeypatch):
    monkeypatch.setattr(pathlib.Path, "read_text", lambda path: text)
    assert cpu.instruction_sets() == names
    assert cpu.computes_in_bfloat16() == bfloat16


def test_systems_without_cpuinfo(monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(pathlib.Path, "read_text", missing)
    assert not cpu.instruction_sets() and not cpu.computes_in_bfloat16()
