"""Paths that TensorFlow would take for patterns."""

import pathlib
import sys

import pytest

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such path")
@pytest.mark.parametrize("name", ["run", "run[1]"])
def test_a_folder_has_a_path_without_patterns(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "file").write_text("here")
    with files.without_patterns(folder) as path:
        assert not set(path) & set("[]*?")
        assert pathlib.Path(path, "file").read_text() == "here"


def test_a_path_with_a_pattern_is_refused_where_there_is_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with (
        pytest.raises(UserError, match=r"run\[1\] has one of the characters .* rename the folder"),
        files.without_patterns(tmp_path / "run[1]"),
    ):
        pass
