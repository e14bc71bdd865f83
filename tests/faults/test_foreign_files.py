"""Flagfiles, checkpoints, SavedModels and data sets from somebody else: none of their code runs."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.data import preparation, splits
from ptn_semi.inference import exports, reconstruction
from ptn_semi.models import checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.settings import DataSettings
from ptn_semi.utils.errors import UserError
from support import processes
from support.tiny_networks import TINY

MASK = np.ones([1, 32, 32, 1], np.float32)
PROGRESS = {"best": {"step": 0, "threshold": 0.35}, "extent": 0.7}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    return checkpoints.save(tmp_path_factory.mktemp("run"), model, PROGRESS, keep=set()).path


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    return exports.export(checkpoint, tmp_path_factory.mktemp("models") / "1", "saved_model")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module whose import leaves a file; yields the file's path."""
    sprung = tmp_path / "sprung"
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "trap_module.py").write_text(
        f"import pathlib\npathlib.Path({str(sprung)!r}).touch()\nclass Trap: pass\n"
    )
    monkeypatch.syspath_prepend(folder)
    return sprung


TRAP = {"module": "trap_module", "class_name": "Trap", "config": {}, "registered_name": None}
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {}, "registered_name": None}


def changed(path, folder, **model):
    """A copy of a checkpoint whose model is configured otherwise, as if it were saved so."""
    copy = pathlib.Path(shutil.copytree(path, folder / path.name))
    file = copy / "checkpoint.json"
    metadata = json.loads(file.read_text())
    metadata.pop("digest")
    metadata["model"] |= model
    metadata["digest"] = checkpoints._digest(metadata)
    file.write_text(json.dumps(metadata))
    return copy


def test_a_checkpoint_that_names_objects_of_other_modules(checkpoint, tmp_path, trap):
    # As Keras writes down layers, and their dtypes.
    loaded = reconstruction.load_model(changed(checkpoint, tmp_path, dtype=TRAP, layers=[LAMBDA]))
    np.testing.assert_array_equal(
        loaded.predict(MASK), reconstruction.load_model(checkpoint).predict(MASK)
    )
    assert not trap.exists()


@pytest.mark.parametrize(
    "model",
    [
        {"architecture": TRAP},
        {"camera": LAMBDA},
        {"loss_settings": {"supervision": "both", "code": "x"}},
        {"voxel_size": 10**9},
        {"image_size": 10**9},
        {"image_size": 10**15 + 37},  # a prime
        {"voxel_size": 0},
        {"voxel_size": 1024, "loss_settings": {"occupancy_weight": 1.0, "refine": True}},
        {"image_size": "32"},
        {"seed": "x"},
        {"architecture": None},
    ],
    ids=str,
)
def test_a_checkpoint_of_something_else_is_refused(checkpoint, tmp_path, trap, model):
    with pytest.raises(UserError, match=f"{checkpoint.name} is damaged or not of this version"):
        reconstruction.load_model(changed(checkpoint, tmp_path, **model))
    assert not trap.exists()


def test_a_checkpoints_precision_is_not_taken(checkpoint, tmp_path, trap):
    # Answers are in float32, whatever stands there.
    reconstructor = reconstruction.load_model(changed(checkpoint, tmp_path, precision=TRAP))
    assert reconstructor.image_size == 32 and not trap.exists()


def test_a_checkpoint_of_huge_networks_takes_no_memory(checkpoint, tmp_path):
    config = json.loads((checkpoint / "checkpoint.json").read_text())["model"]["architecture"]
    for huge in ({"latent_dim": 10**10}, {"encoder_filters": [10**6] * 3}, {"kernel_size": 0}):
        folder = tmp_path / next(iter(huge))
        with pytest.raises(UserError, match="network's sizes are 1 to"):
            reconstruction.load_model(changed(checkpoint, folder, architecture=config | huge))


def test_other_weights_than_the_configuration_says_are_refused(checkpoint, tmp_path):
    config = json.loads((checkpoint / "checkpoint.json").read_text())["model"]["architecture"]
    other = config | {"latent_dim": 9}
    with pytest.raises(UserError, match="is damaged or not of this version"):
        reconstruction.load_model(changed(checkpoint, tmp_path, architecture=other))


class Evil(tf.Module):
    """Writes a file when it is asked, and when it is loaded."""

    def __init__(self, sprung):
        super().__init__()
        write = lambda: tf.io.write_file(str(sprung), "gotcha")

        @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 1), tf.float32, "mask")])
        def reconstruct(mask):
            write()
            return {"voxels": tf.zeros([tf.shape(mask)[0], 32, 32, 32])}

        @tf.function(input_signature=[])
        def metadata():
            write()
            return {"json": tf.constant(json.dumps({"image_size": 32, "threshold": 0.5}))}

        self.functions = {"serving_default": reconstruct, "metadata": metadata}


def test_a_saved_model_that_writes_files(exported, tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "1"
    evil = Evil(sprung)
    tf.saved_model.save(evil, str(path), signatures=evil.functions)
    # It does when its graph is run.
    tf.saved_model.load(str(path)).signatures["serving_default"](mask=tf.constant(MASK))
    sprung.unlink()
    with pytest.raises(UserError, match=r"metadata\.json is missing or damaged: give a folder"):
        reconstruction.load_model(path)
    shutil.copytree(exported / "assets.extra", path / "assets.extra")
    with pytest.raises(UserError, match="is damaged or not of this version"):
        reconstruction.load_model(path)
    shutil.copytree(exported / "variables", path / "variables", dirs_exist_ok=True)
    expected = reconstruction.load_model(exported).predict(MASK)
    np.testing.assert_array_equal(reconstruction.load_model(path).predict(MASK), expected)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "change",
    [{"threshold": "0.5"}, {"threshold": 7}, {"extent": -1}, {"model": TRAP}, {"model": None}],
    ids=str,
)
def test_metadata_of_something_else_are_refused(exported, tmp_path, change):
    path = pathlib.Path(shutil.copytree(exported, tmp_path / "1"))
    file = path / "assets.extra" / "metadata.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(UserError, match="is damaged or not of this version"):
        reconstruction.load_model(path)


@pytest.mark.parametrize(
    "content",
    [
        b"--categories=$(touch {sprung})\n--dataset=`touch {sprung}`\n",
        b"import pathlib; pathlib.Path('{sprung}').touch()\n",
        b"#!/bin/sh\ntouch {sprung}\n",
        b"--flagfile={flagfile}\n--no_such_flag\n",
        b"\x80\x04\x95\xff\x00\n--\x00=\x00\n",
        b"--steps=" + b"9" * 5000 + b"\n",
    ],
)
def test_flagfiles_are_read_as_flags(tmp_path, content):
    sprung, flagfile = tmp_path / "sprung", tmp_path / "their.flags"
    for name, path in ((b"{sprung}", sprung), (b"{flagfile}", flagfile)):
        content = content.replace(name, bytes(path))
    flagfile.write_bytes(content)
    ended = processes.main(
        "ptn_semi.train",
        f"--workdir={tmp_path / 'w'}",
        f"--data_dir={tmp_path / 'd'}",
        f"--flagfile={flagfile}",
    )
    assert ended.returncode == 1 and not sprung.exists()
    sentences = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1 and "Traceback" not in ended.stderr, ended.stderr


def test_masks_laid_out_by_somebody_else_hold_no_objects(tmp_path):
    settings = DataSettings(data_dir=str(tmp_path), categories=("chair",), num_shapes=20)
    builder = preparation.prepare(settings)
    path = builder.data_path / "masks_train.npy"
    for content in ([{"a": print}], np.zeros(3), np.zeros([2, 24, 128], np.uint8)):
        np.save(path, np.array(content), allow_pickle=True)
        with pytest.raises(UserError, match=r"masks_train.npy is damaged: delete it"):
            splits.load(builder, "train", max_memory=0)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"masks_train.npy is damaged: delete it"):
        splits.load(builder, "train", max_memory=0)
    path.unlink()
    assert len(splits.load(builder, "train", max_memory=0))
