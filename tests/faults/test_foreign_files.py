"""Flagfiles, checkpoints, SavedModels and masks from somebody else are read and never run."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.data import preparation, splits
from ptn_semi.inference import exports, reconstruction
from ptn_semi.models import checkpoints
from ptn_semi.utils.errors import UserError
from support import processes, two_step_run

MASK = np.ones([1, 32, 32, 1], np.float32)


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    return exports.export(checkpoint, tmp_path_factory.mktemp("models") / "1", "saved_model")


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that leaves a file when it is imported; returns the file's path."""
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


def changed(path, folder, **settings):
    """A copy of a checkpoint whose model has other settings, with the right digest."""
    copy = pathlib.Path(shutil.copytree(path, folder / path.name))
    file = copy / "checkpoint.json"
    metadata = json.loads(file.read_text())
    metadata.pop("digest")
    metadata["info"]["settings"] |= settings
    metadata["digest"] = checkpoints._digest(metadata)
    file.write_text(json.dumps(metadata))
    return copy


STRANGE = {  # layers and dtypes as Keras writes them down, a prime, huge and wrong numbers
    "architecture": [TRAP, None],
    "camera": [LAMBDA],
    "layers": [[LAMBDA]],
    "pooling": [TRAP],
    "image_size": [10**15 + 37, "32"],
    "voxel_size": [1024],
}


@pytest.mark.parametrize(
    "settings", [{name: value} for name, values in STRANGE.items() for value in values], ids=str
)
def test_a_checkpoint_of_something_else_is_refused(checkpoint, tmp_path, trap, settings):
    with pytest.raises(UserError, match=f"{checkpoint.name} is damaged or not of this version"):
        reconstruction.load_model(changed(checkpoint, tmp_path, **settings))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"latent_dim": 10**10}, "network's sizes are 1 to"),
        ({"encoder_filters": [10**6] * 3}, "network's sizes are 1 to"),
        ({"kernel_size": 0}, "network's sizes are 1 to"),
        ({"latent_dim": 9}, "is damaged or not of this version"),  # the weights do not fit
    ],
)
def test_a_checkpoint_of_other_networks_is_refused(checkpoint, tmp_path, sizes, said):
    config = checkpoints.read(checkpoint).info.to_dict()["settings"]["architecture"]
    with pytest.raises(UserError, match=said):
        reconstruction.load_model(changed(checkpoint, tmp_path, architecture=config | sizes))


class Evil(tf.Module):
    """Writes a file when it is called."""

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


def test_the_graph_of_a_saved_model_is_not_run(exported, tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "1"
    evil = Evil(sprung)
    tf.saved_model.save(evil, str(path), signatures=evil.functions)
    tf.saved_model.load(str(path)).signatures["serving_default"](mask=tf.constant(MASK))
    sprung.unlink()  # which running the graph has written
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
    "change", [{"threshold": "0.5"}, {"threshold": 7}, {"extent": -1}, {"settings": TRAP}], ids=str
)
def test_strange_metadata_of_a_saved_model_are_refused(exported, tmp_path, change):
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
        b"\x80\x04\x95\xff\x00\n--\x00=\x00\n",
        b"--steps=" + b"9" * 5000 + b"\n",
    ],
)
def test_flagfiles_are_read_as_flags(tmp_path, content):
    sprung, flagfile = tmp_path / "sprung", tmp_path / "their.flags"
    flagfile.write_bytes(content.replace(b"{sprung}", bytes(sprung)))
    folders = f"--workdir={tmp_path / 'w'}", f"--data_dir={tmp_path / 'd'}"
    ended = processes.main("ptn_semi.train", *folders, f"--flagfile={flagfile}")
    assert ended.returncode == 1 and not sprung.exists()
    sentences = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1 and "Traceback" not in ended.stderr, ended.stderr


def test_masks_on_disk_hold_no_objects(data, tmp_path):
    copy = shutil.copytree(data.data_dir, tmp_path / "data")
    builder = preparation.prepare(two_step_run.settings(copy))
    path = builder.data_path / "masks_train.npy"
    for content in ([{"a": print}], np.zeros(3), np.zeros([2, 3, 128], np.uint8)):
        np.save(path, np.array(content), allow_pickle=True)
        with pytest.raises(UserError, match=r"masks_train.npy is damaged: delete it"):
            splits.load(builder, "train", max_memory=0)
    path.unlink()
    assert len(splits.load(builder, "train", max_memory=0))
