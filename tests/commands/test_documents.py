"""The documents' commands parse, their Python runs, and their links have targets."""

import pathlib
import re
import shlex

import numpy as np
import pytest

from support import processes
from support.small_models import build, save

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "datasets" / "shapenet_posed_masks" / "README.md",
    ROOT / "ptn_semi" / "pretrained" / "README.md",
]
KERAS_SMALL = {
    "num_shapes=1000": "num_shapes=30",
    "batch_size=32, seed": "batch_size=2, seed",
    "epochs=10": "epochs=2",
    "steps_per_epoch=50": "steps_per_epoch=1",
    "num_examples=32": "num_examples=2",
}
# Programs of others, which are not run here.
OTHERS = {".", "cat", "curl", "docker", "export", "hf", "pip", "pre-commit", "tensorboard"}


def blocks(path, language):
    """The fenced blocks of a language, without the indentation of lists."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", path.read_text(), re.S | re.M)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def commands():
    for path in DOCUMENTS:
        for block in blocks(path, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if words := shlex.split(line, comments=True):
                    while "=" in words[0]:  # variables of the environment
                        words.pop(0)
                    yield pytest.param(words, id=f"{path.name}: {' '.join(words)[:60]}")


COMMANDS = list(commands())
assert len(COMMANDS) > 40


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_parse(words, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *arguments = words
    program = program.removeprefix(".venv/bin/")
    if program == "make":
        targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
        assert arguments[0] in targets
    elif program == "python":
        if arguments[0] == "-m":
            arguments.pop(0)
        # A flagfile that an earlier command writes is not there.
        there = "=ptn_semi/configs/semi.flags"
        arguments = [re.sub(r"=(runs/.*|semi)\.flags$", there, word) for word in arguments]
        if arguments[0] == "pytest":
            return
        ended = processes.main(*arguments, "--only_check_args")
        assert ended.returncode == 0, ended.stderr
    else:
        assert program in OTHERS


def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    save(tmp_path / "runs" / "quickstart" / "checkpoints", build())
    (tmp_path / "ptn_semi").symlink_to(ROOT / "ptn_semi")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(ROOT / "README.md", "python"):
        exec(block, names)
    assert names["voxels"].shape == (1, 32, 32, 32) and names["seen"].shape == (1, 32, 32, 1)


@pytest.mark.slow
def test_python_of_the_keras_document_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "".join(blocks(ROOT / "docs" / "keras.md", "python"))
    for long, short in KERAS_SMALL.items():
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    names = {}
    exec(text, names)
    expected = names["model"].predict(names["masks"], verbose=0)
    np.testing.assert_array_equal(names["voxels"], expected)
    assert {"val_average_precision", "val_iou_0.4", "val_written_iou"} <= names[
        "model"
    ].history.history.keys()
    assert (tmp_path / "runs" / "keras" / "best.keras").exists()
    assert names["frames"].shape == (3, 32, 32, 1)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_have_targets(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        if "://" in file:
            continue
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
            anchors = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in anchors, link
