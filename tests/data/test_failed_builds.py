"""Data sets that cannot be built or read: what is said, and what is left."""

import concurrent.futures
import errno
import os
import threading
import time

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from ptn_semi.data import preparation, splits
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks
from support.small_sets import CHAIR, examples, finished, from_files, put, put_all, small


def test_a_damaged_file_is_named_and_leaves_nothing(tmp_path):
    root = put_all(tmp_path / "vox")
    path = put(root, CHAIR, "damaged", 0, b"#binvox 1\ndim 32 32 32\ndata\n\x01\x05")
    with pytest.raises(UserError) as raised:
        preparation.prepare(from_files(root))
    assert str(path) in str(raised.value)
    assert "truncated" in str(raised.value) and "--skip_invalid" in str(raised.value)
    assert not finished(tmp_path / "data")


class FullDisk:
    """A `GFile` or `TFRecordWriter` that finds no space."""

    def __init__(self, error):
        self.error = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, data):
        raise self.error


FULL = OSError(errno.ENOSPC, "No space left on device")


FULL_TF = tf.errors.ResourceExhaustedError(None, None, "x.tfrecord; No space left on device")


@pytest.mark.parametrize("error", [FULL, FULL_TF], ids=["os", "tensorflow"])
def test_a_disk_that_is_full_at_the_records(tmp_path, monkeypatch, error):
    monkeypatch.setattr(tf.io, "TFRecordWriter", lambda *_, **__: FullDisk(error))
    with pytest.raises(UserError) as raised:
        preparation.prepare(small(tmp_path))
    assert str(tmp_path) in str(raised.value) and "free some space" in str(raised.value)
    assert not finished(tmp_path)
    monkeypatch.undo()
    assert len(examples(preparation.prepare(small(tmp_path)))) == 20


def test_a_disk_that_is_full_at_the_last_file(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise FULL

    monkeypatch.setattr(tfds.core.DatasetInfo, "write_to_directory", fail)
    with pytest.raises(UserError, match="free some space"):
        preparation.prepare(small(tmp_path))
    assert not finished(tmp_path)


def test_a_disk_that_is_full_at_the_picture_of_samples(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise FULL

    monkeypatch.setattr(preparation.sheets, "save_png", fail)
    with pytest.raises(UserError, match="free some space"):
        preparation.prepare(small(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="make it writable"):
        preparation.prepare(small(tmp_path / "data"))


def test_damaged_records_are_named(tmp_path):
    builder = preparation.prepare(small(tmp_path))
    for path in builder.data_path.glob("*train.tfrecord*"):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"is damaged .*delete that folder"):
        splits.load(builder, "train")


@pytest.mark.slow
def test_of_two_builds_at_once_the_second_waits_for_what_the_first_builds(
    tmp_path, monkeypatch, capsys
):
    begun, built = threading.Event(), []
    build = preparation._build

    def slowly(builder, on_beam):
        begun.set()
        time.sleep(0.5)
        built.append(builder)
        build(builder, on_beam)

    monkeypatch.setattr(preparation, "_build", slowly)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(preparation.prepare, small(tmp_path))
        begun.wait()
        second = preparation.prepare(small(tmp_path))
    assert len(built) == 1
    assert examples(second).keys() == examples(first.result()).keys()
    assert f"waiting for process {os.getpid()}" in capsys.readouterr().out


def test_what_a_killed_build_left_is_removed(tmp_path):
    settings = small(tmp_path)
    version = f"incomplete.AB12_{posed_masks.Builder.VERSION}"
    left = tmp_path / posed_masks.Builder.name / preparation.name(settings) / version
    left.mkdir(parents=True)
    (left / "half.tfrecord").write_bytes(b"half")
    assert len(examples(preparation.prepare(settings))) == 20
    assert not left.exists()
