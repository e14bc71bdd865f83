"""Paths that TensorFlow would take for patterns, and files where folders are needed."""

import errno
import fcntl
import os
import pathlib
import sys
from unittest import mock

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


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    file = tmp_path / "car.png"
    file.write_bytes(b"")
    files.check_folder(tmp_path / "new" / "out", "--output_dir=out")
    for path in (file, file / "out"):
        with pytest.raises(UserError, match=r"^--output_dir=x needs a folder, but .*car\.png is a"):
            files.check_folder(path, "--output_dir=x")
    files.check_file(file, "--output=car.png")  # is replaced
    with pytest.raises(UserError, match=r"^--output=x is a folder: give a file"):
        files.check_file(tmp_path, "--output=x")


@pytest.mark.parametrize("name", ["car.png/out.json", "folder"])
def test_more_space_is_not_asked_for_where_something_is_in_the_way(tmp_path, name):
    (tmp_path / "car.png").write_bytes(b"")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with (
        pytest.raises(UserError, match=r"could not be written .*: give another path"),
        files.replacing(tmp_path / name) as partial,
    ):
        partial.write_bytes(b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["car.png", "folder"]


def test_paths_that_tensorflow_would_not_find_in_this_locale_are_refused(monkeypatch):
    files.check_encoding("données", "--data_dir=données")
    monkeypatch.setattr(os, "fsencode", lambda path: os.fspath(path).encode("latin-1"))
    files.check_encoding("data", "--data_dir=data")
    with pytest.raises(UserError, match=r"^--data_dir=données is in .* set PYTHONUTF8=1 or give"):
        files.check_encoding("données", "--data_dir=données")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_disk_without_locks_gives_a_warning(tmp_path, monkeypatch, capsys, number):
    refusing = mock.Mock(side_effect=OSError(number, os.strerror(number)))
    monkeypatch.setattr(fcntl, "flock", refusing)
    with files.locked(tmp_path / ".lock", when_taken=pytest.fail):
        assert (tmp_path / ".lock").read_text().startswith(f"{os.getpid()}@")
    said = f"warning: {tmp_path}/.lock cannot be locked on this disk ({os.strerror(number)}): see"
    assert capsys.readouterr().out.startswith(said)


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / "a.off").symlink_to("gone")
    with pytest.raises(UserError, match=r"a\.off is a symbolic link to gone, which does not exist"):
        files.read(tmp_path / "a.off", 1, "")
