"""Paths that TensorFlow would take for patterns."""

import sys

import pytest

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError


def test_an_ordinary_path_is_taken_as_it_is(tmp_path):
    with files.without_patterns(tmp_path) as path:
        assert path == str(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such path")
def test_a_path_with_a_pattern_gets_another_one(tmp_path):
    folder = tmp_path / "run[1]"
    folder.mkdir()
    (folder / "file").write_text("here")
    with files.without_patterns(folder) as path:
        assert not set(path) & set("[]*?")
        with open(f"{path}/file") as file:
            assert file.read() == "here"


def test_a_path_with_a_pattern_is_refused_where_there_is_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with (
        pytest.raises(UserError, match=r"run\[1\] has one of the characters .* rename the folder"),
        files.without_patterns(tmp_path / "run[1]"),
    ):
        pass
