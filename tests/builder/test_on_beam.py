"""Data sets built on Apache Beam: the bytes that one process writes, and the same refusals."""

import sys

import numpy as np
import pytest

from ptn_semi.data import beam, preparation
from ptn_semi.settings import DataSettings
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError

OPTIONS = ("direct_num_workers=2", "direct_running_mode=multi_processing")


@pytest.fixture
def beam_config():
    pytest.importorskip("apache_beam", reason="Apache Beam is an extra: pip install -e '.[beam]'")
    return beam.configure("direct", OPTIONS)


@pytest.fixture
def shapes(tmp_path):
    """A folder of boxes in two categories."""
    generator = np.random.default_rng(0)
    for folder, count in (("03001627", 12), ("04379243", 5)):
        for i in range(count):
            voxels = np.zeros((32, 32, 32), bool)
            low, high = np.sort(generator.integers(0, 32, (2, 3)), axis=0)
            voxels[tuple(map(slice, low, high + 1))] = True
            path = tmp_path / "shapes" / folder / f"m{i}" / "model.binvox"
            path.parent.mkdir(parents=True)
            path.write_bytes(binvox.write(voxels))
    return tmp_path / "shapes"


def settings(shapes, data_dir, **changes):
    return DataSettings("shapenet_vox32", str(shapes), str(data_dir), num_views=4, **changes)


def files(data_dir):
    return {
        path.relative_to(data_dir): path.read_bytes()
        for path in data_dir.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_two_processes_write_the_bytes_of_one(shapes, tmp_path, beam_config):
    (shapes / "03001627" / "m3" / "model.binvox").write_bytes(b"#binvox 1\n")
    for name, on_beam in (("alone", None), ("beam", beam_config)):
        preparation.prepare(settings(shapes, tmp_path / name, skip_invalid=True), on_beam)
    there = files(tmp_path / "alone")
    assert any(".tfrecord" in path.name for path in there)
    assert files(tmp_path / "beam") == there


def test_a_damaged_file_is_named_and_nothing_is_left(shapes, tmp_path, beam_config):
    (shapes / "04379243" / "m1" / "model.binvox").write_bytes(b"")
    with pytest.raises(UserError, match=r"m1/model\.binvox is empty .*--skip_invalid"):
        preparation.prepare(settings(shapes, tmp_path / "data"), beam_config)
    assert not any(".tfrecord" in path.name for path in files(tmp_path / "data"))


def test_a_category_that_loses_all_shapes_is_named(shapes, tmp_path, beam_config):
    for path in (shapes / "04379243").glob("*/model.binvox"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="no shape of category table can be used"):
        preparation.prepare(settings(shapes, tmp_path / "data", skip_invalid=True), beam_config)


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
