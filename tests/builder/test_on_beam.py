"""Data sets built on Apache Beam: the bytes that one process writes, and the same refusals."""

import sys

import pytest

from ptn_semi.data import beam, preparation
from ptn_semi.utils.errors import UserError
from support.small_sets import CHAIR, from_files, put, put_all

OPTIONS = ("direct_num_workers=2", "direct_running_mode=multi_processing")


@pytest.fixture
def beam_config():
    pytest.importorskip("apache_beam", reason="Apache Beam is an extra: pip install -e '.[beam]'")
    return beam.configure("direct", OPTIONS)


@pytest.fixture
def root(tmp_path):
    return put_all(tmp_path / "vox")


def files(data_dir):
    return {
        path.relative_to(data_dir): path.read_bytes()
        for path in data_dir.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_two_processes_write_the_bytes_of_one(root, tmp_path, beam_config):
    put(root, CHAIR, "damaged", 0, b"#binvox 1\n")
    for name, on_beam in (("alone", None), ("beam", beam_config)):
        data_dir = str(tmp_path / name)
        preparation.prepare(from_files(root, data_dir=data_dir, skip_invalid=True), on_beam)
    there = files(tmp_path / "alone")
    assert any(".tfrecord" in path.name for path in there)
    assert files(tmp_path / "beam") == there


def test_a_damaged_file_is_named_and_nothing_is_left(root, tmp_path, beam_config):
    put(root, CHAIR, "damaged", 0, b"")
    with pytest.raises(UserError, match=r"damaged/model\.binvox is empty .*--skip_invalid"):
        preparation.prepare(from_files(root), beam_config)
    assert not any(".tfrecord" in path.name for path in files(tmp_path / "data"))


@pytest.mark.usefixtures("beam_config")
@pytest.mark.parametrize("option", ["no_such_option=1", "direct_num_workers=two"])
def test_options_that_beam_does_not_know_are_refused(option):
    with pytest.raises(UserError, match=option.split("=")[0]):
        beam.configure("direct", [option])


def test_without_beam_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setitem(sys.modules, "apache_beam.options", None)
    with pytest.raises(UserError, match=r"--runner=direct needs Apache Beam .*\[beam\]"):
        beam.configure("direct", [])
