"""Disks that are full, read-only, another file system, or lose what is in a file; odd names."""

import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import ptn_semi
from ptn_semi.data import overviews, preparation, splits
from ptn_semi.inference import exports, images_to_shapes
from ptn_semi.models import architectures, checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.settings import SHAPE_FORMATS, DataSettings, RunSettings, TrainSettings
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils.errors import UserError
from support import processes
from support.extruding_reconstructor import FAKE
from support.tiny_networks import TINY
from support.tiny_runs import assert_same_bits

pytestmark = pytest.mark.slow
# Without a GAN, whose graph takes long to trace.
TRAIN = TrainSettings(batch_size=4, supervision="labeled")
RUN = RunSettings(steps=2, evaluate_every=1)


def settings(data_dir):
    return DataSettings(data_dir=str(data_dir), categories=("chair",), num_shapes=40, num_views=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    prepared = settings(tmp_path_factory.mktemp("data"))
    preparation.prepare(prepared)
    return prepared


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    workdir = tmp_path_factory.mktemp("run") / "whole"
    processes.call(train, workdir, data)
    return workdir


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    if not processes.can_mount(tmp_path_factory.mktemp("mount")):
        pytest.skip("this system lets nobody mount a small disk")


def train(workdir, data, run=RUN):
    architectures.PRESETS["small"] = TINY
    return trainer.train(workdir, data, TRAIN, run)


def fill(folder, left):
    """Leaves so many bytes of a disk; returns the file that takes the rest."""
    ballast = folder / "ballast"
    with open(ballast, "wb") as file:
        free = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - left)
    return ballast


def train_on_a_full_disk(folder, data, whole):
    processes.mount_small_disk(folder, 8 << 20)
    one = RunSettings(steps=1, evaluate_every=1)
    train(folder / "run", data, one)
    first = checkpoints.find(folder / "run", "last")
    # A checkpoint has some 120 kB.
    for left in (0, 60 << 10):
        ballast = fill(folder, left)
        with pytest.raises(UserError, match=r"could not be written.*free some space") as caught:
            train(folder / "run", data)
        assert str(folder) in str(caught.value)
        assert checkpoints.find(folder / "run", "last") == first
        ballast.unlink()
    train(folder / "run", data)
    assert_same_bits(folder / "run", whole)


def test_training_on_a_full_disk(tmp_path, data, trained, mounts):
    # A disk of its own is another file system, too.
    processes.call(train_on_a_full_disk, tmp_path, data, trained)


def build_on_a_full_disk(folder):
    processes.mount_small_disk(folder, 8 << 20)
    for left in (0, 4 << 10, 20 << 10):
        ballast = fill(folder, left)
        with pytest.raises(UserError, match=r"could not be written to .*free some space") as caught:
            preparation.prepare(settings(folder / "data"))
        assert str(folder) in str(caught.value)
        assert not list(folder.rglob("*.tfrecord*"))
        ballast.unlink()
    builder = preparation.prepare(settings(folder / "data"))
    assert len(splits.load(builder, "train"))
    ballast = fill(folder, 0)
    with pytest.raises(UserError, match=r"masks_train\.npy could not be written"):
        splits.load(builder, "train", max_memory=0)
    ballast.unlink()
    assert len(splits.load(builder, "train", max_memory=0))


def test_building_on_a_full_disk(tmp_path, mounts):
    processes.call(build_on_a_full_disk, tmp_path)


def write_on_a_full_disk(folder, checkpoint, image):
    processes.mount_small_disk(folder, 8 << 20)
    images = lambda: {
        path: result
        for path, result, _ in images_to_shapes.reconstruct_files(
            FAKE, [image], folder / "shapes", images_to_shapes.Options(SHAPE_FORMATS)
        )
    }
    for left in (0, 200 << 10):
        ballast = fill(folder, left)
        with pytest.raises(UserError, match=r"1 could not be written .*free some space"):
            exports.export(checkpoint, folder / "models" / "1", "saved_model")
        assert not list((folder / "models").iterdir())
        if not left:
            assert isinstance(images()[image], UserError)
            assert not list((folder / "shapes").iterdir())
        ballast.unlink()
    exports.read(exports.export(checkpoint, folder / "models" / "1", "saved_model"))
    assert len(images()[image]) == len(SHAPE_FORMATS) + 1


def test_exports_and_reconstructions_on_a_full_disk(tmp_path, mounts):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    saved = checkpoints.save(tmp_path / "run", model, {}, keep=set()).path
    pixels = np.zeros([32, 32], np.uint8)
    pixels[4:20, 8:20] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (tmp_path / "disk").mkdir()
    processes.call(write_on_a_full_disk, tmp_path / "disk", saved, tmp_path / "a.png")


def train_from_a_read_only_disk(workdir, data):
    processes.mount_read_only(data.data_dir)
    train(workdir, data)
    large = RunSettings(steps=3, evaluate_every=1, max_masks_gb=0)
    with pytest.raises(UserError, match=r"masks_train.npy could not be written .*Read-only"):
        train(workdir, data, large)
    other = DataSettings(data_dir=data.data_dir, num_shapes=41)
    with pytest.raises(UserError, match=r"could not be written to .*make it writable or give anot"):
        train(workdir.parent / "other", other)
    assert not (workdir.parent / "other" / "settings.flags").exists()


def test_a_data_dir_that_can_only_be_read(tmp_path, data, trained, mounts):
    processes.call(train_from_a_read_only_disk, tmp_path / "run", data)
    assert_same_bits(tmp_path / "run", trained)


def empty_in_turn(folder, use):
    """Empties each file below a folder in turn; `use` works or says what is wrong with which."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(b"")
        try:
            use()
        except UserError as error:
            assert str(folder) in str(error)
        path.write_bytes(content)


def test_a_workdir_whose_files_are_empty(trained, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)
    copy = pathlib.Path(shutil.copytree(trained, tmp_path / "run"))

    def use():
        read, _, _ = workdirs.read_settings(copy)
        assert read == data
        checkpoints.find(copy, "best")
        checkpoints.load_model(checkpoints.find(copy, "last"))

    empty_in_turn(copy, use)
    (copy / "settings.flags").write_bytes(b"")
    with pytest.raises(UserError, match=r"settings\.flags is empty"):
        workdirs.read_settings(copy)
    assert "step_00000002 is damaged; the checkpoint before it is used" in capsys.readouterr().out


def test_a_data_set_whose_files_are_empty(tmp_path, data):
    copy = pathlib.Path(shutil.copytree(data.data_dir, tmp_path / "data"))

    def use():
        builder = preparation.prepare(settings(copy))
        for split in ("train", "validation", "test"):
            assert len(splits.load(builder, split, with_voxels=True)) > 1
        overviews.draw_samples(builder)
        overviews.summarize(builder)

    empty_in_turn(copy, use)


ODD = "läuft ✓ (1) [ab] 'q' #2"


@pytest.mark.parametrize("name", [ODD, "two\nlines", os.fsdecode(b"\xff no text")], ids=repr)
def test_odd_names_work_or_are_refused_in_a_sentence(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png", folder)
    (folder / "chair.png").rename(folder / f"{name}.png")
    flags = [
        f"--data_dir={folder / 'data'}",
        "--categories=chair",
        "--num_shapes=40",
        "--num_views=2",
        "--steps=1",
        "--evaluate_every=1",
        "--batch_size=2",
        "--supervision=labeled",
    ]
    workdir = f"--workdir={folder / name}"
    commands = [
        ("ptn_semi.train", workdir, *flags),
        ("ptn_semi.train", f"--flagfile={folder / name / 'settings.flags'}", workdir),
        ("ptn_semi.evaluate", workdir, "--evaluated_views=1"),
        ("ptn_semi.export", workdir, f"--output={folder / 'models' / '1'}"),
        (
            "ptn_semi.reconstruct",
            f"--model={folder / name}",
            f"--output_dir={folder / 'out'}",
            folder / f"{name}.png",
        ),
    ]
    for command in commands:
        ended = processes.main(*command)
        if ended.returncode:
            break
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in ended.stderr
    if name == ODD:
        assert ended.returncode == 0, ended.stderr
        assert (folder / "out" / f"{name}.glb").exists()
    else:
        assert len(errors) == 1 and "rename" in errors[0], ended.stderr
