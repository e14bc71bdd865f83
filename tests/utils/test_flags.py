"""Flagfiles: what they may hold, and where those that they name are looked for."""

import pytest

from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError


def test_a_flagfile_names_others_beside_it(tmp_path, monkeypatch):
    (tmp_path / "inner.flags").write_text("# a comment\n\n--steps=2\n  --batch_size=3  \n")
    (tmp_path / "outer.flags").write_text("--flagfile=inner.flags\n--steps=4\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    expanded = flags.expand(["train", f"--flagfile={tmp_path / 'outer.flags'}", "--seed=1"])
    assert expanded == ["train", "--steps=2", "--batch_size=3", "--steps=4", "--seed=1"]


def test_a_flagfile_names_others_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "outer.flags").write_text("--flagfile=inner.flags\n")
    (tmp_path / "inner.flags").write_text("--steps=2\n")
    monkeypatch.chdir(tmp_path)
    assert flags.expand(["--flagfile", "sub/outer.flags"]) == ["--steps=2"]


def test_what_follows_two_dashes_is_left_alone():
    assert flags.expand(["a", "--", "--flagfile=b"]) == ["a", "--", "--flagfile=b"]


def test_the_home_is_found_in_values_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.flags").write_text("--data_dir=~/data\n")
    arguments = ["~/a.png", "--output_dir=~/out", "--flagfile=~/my.flags"]
    assert flags.expand(arguments) == [
        "~/a.png",
        f"--output_dir={tmp_path}/out",
        f"--data_dir={tmp_path}/data",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"their\.flags cannot be read \(No such file"),
        (b"\xff\xfe", r"their\.flags is no text file"),
        (b"--flagfile=their.flags", r"their\.flags names itself"),
        (b"--flagfile", "needs a file"),
    ],
)
def test_flagfiles_that_cannot_be_used(tmp_path, content, said):
    path = tmp_path / "their.flags"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        flags.expand([f"--flagfile={path}"])
