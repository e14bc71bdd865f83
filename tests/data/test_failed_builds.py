"""Data sets that cannot be built or read: what is said, and what is left."""

import concurrent.futures
import errno
import threading
from unittest import mock

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from ptn_semi.data import configs, overviews, preparation, splits
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


FULL = OSError(errno.ENOSPC, "No space left on device")
FULL_TF = tf.errors.ResourceExhaustedError(None, None, "x.tfrecord; No space left on device")


def test_a_full_disk_is_named_and_the_same_build_completes_later(tmp_path, monkeypatch):
    settings = small(tmp_path, num_shapes=6, categories=("chair",))
    # What a killed build left is removed.
    version = f"incomplete.AB12_{posed_masks.Builder.VERSION}"
    left = tmp_path / posed_masks.Builder.name / configs.named_config(settings).name / version
    left.mkdir(parents=True)
    (left / "half.tfrecord").write_bytes(b"half")
    for place, name, error in (
        (tf.io, "TFRecordWriter", FULL),
        (tf.io, "TFRecordWriter", FULL_TF),
        (tfds.core.DatasetInfo, "write_to_directory", FULL),
        (overviews.sheets, "save_png", FULL),  # the last: only the picture of samples is missing
    ):
        assert not finished(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(place, name, mock.Mock(side_effect=error))
            with pytest.raises(UserError, match=r"free some space") as raised:
                preparation.prepare(settings)
        assert str(tmp_path) in str(raised.value)
    builder = preparation.prepare(settings)
    assert len(examples(builder)) == 6
    assert overviews.draw_samples(builder).exists() and not left.exists()
    # Records that are damaged later are named.
    for path in builder.data_path.glob("*train.tfrecord*"):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"is damaged .*delete that folder"):
        splits.load(builder, "train")


@pytest.mark.slow
def test_of_two_builds_at_once_the_second_waits_for_what_the_first_builds(tmp_path, monkeypatch):
    begun, waiting, built = threading.Event(), threading.Event(), []
    build = preparation._build

    def build_slowly(builder, on_beam):
        begun.set()
        assert waiting.wait(60)
        built.append(builder)
        build(builder, on_beam)

    monkeypatch.setattr(preparation, "_build", build_slowly)
    monkeypatch.setattr(preparation, "print", lambda text: waiting.set(), raising=False)
    settings = small(tmp_path, num_shapes=3, categories=("chair",))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(preparation.prepare, settings)
        begun.wait()
        second = preparation.prepare(settings)
    assert len(built) == 1
    assert examples(second).keys() == examples(first.result()).keys()
