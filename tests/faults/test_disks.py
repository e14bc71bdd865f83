"""Disks that fill up or are read-only, empty files and odd names: all ends in a sentence."""

import contextlib
import os
import pathlib
import shutil

import pytest

import ptn_semi
from ptn_semi.data import overviews, preparation, splits
from ptn_semi.inference import exports, images_to_shapes
from ptn_semi.models import checkpoints
from ptn_semi.settings import SHAPE_FORMATS, RunSettings
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils.errors import UserError
from support import processes, two_step_run
from support.extruding_reconstructor import FAKE
from support.small_sets import CHAIR, examples, from_files, put_all
from support.tiny_runs import assert_same_bits

pytestmark = pytest.mark.slow
EXAMPLE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"
ODD = "läuft ✓ (1) [ab] 'q' #2"


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    if not processes.can_mount(tmp_path_factory.mktemp("mount")):
        pytest.skip("this system does not let us mount a small disk")


@contextlib.contextmanager
def refused_for_lack_of_space(folder, left, said):
    """Leaves so many bytes of a disk meanwhile."""
    fill(folder, left)
    with pytest.raises(UserError, match=said) as caught:
        yield
    assert str(folder) in str(caught.value)
    (folder / "ballast").unlink()


def fill(folder, left):
    with open(folder / "ballast", "wb") as file:
        free = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - left)


def train_on_a_disk_that_fills_up(folder, data, whole):
    processes.mount_small_disk(folder, 8 << 20)
    save = checkpoints.save

    def save_and_fill(*args, **kwargs):
        saved = save(*args, **kwargs)
        fill(folder, left=60 << 10)  # about half of the next checkpoint
        return saved

    trainer.checkpoints.save = save_and_fill
    with pytest.raises(UserError, match=r"could not be written.*free some space") as caught:
        two_step_run.train(folder / "run", data)
    assert str(folder) in str(caught.value)
    assert checkpoints.find(folder / "run", "last").info.step == 1
    (folder / "ballast").unlink()
    trainer.checkpoints.save = save
    two_step_run.train(folder / "run", data)
    assert_same_bits(folder / "run", whole)


def test_training_on_a_disk_that_fills_up(tmp_path, data, trained, mounts):
    # The small disk is another file system, too.
    processes.call(train_on_a_disk_that_fills_up, tmp_path, data, trained[0])


def build_on_a_full_disk(folder):
    processes.mount_small_disk(folder, 8 << 20)
    data = two_step_run.settings(folder / "data")
    with refused_for_lack_of_space(folder, 20 << 10, "could not be written to .*free some space"):
        preparation.prepare(data)
    assert not list(folder.rglob("*.tfrecord*"))
    builder = preparation.prepare(data)
    with refused_for_lack_of_space(folder, 0, r"masks_train\.npy could not be written"):
        splits.load(builder, "train", max_memory=0)
    assert len(splits.load(builder, "train", max_memory=0))


def test_building_on_a_full_disk(tmp_path, mounts):
    processes.call(build_on_a_full_disk, tmp_path)


def write_on_a_full_disk(folder, checkpoint):
    processes.mount_small_disk(folder, 8 << 20)
    model, shapes = folder / "models" / "1", folder / "shapes"

    def reconstruct():
        options = images_to_shapes.Options(SHAPE_FORMATS)
        [(_, result, _)] = images_to_shapes.reconstruct_files(FAKE, [EXAMPLE], shapes, options)
        return result

    with refused_for_lack_of_space(folder, 200 << 10, "1 could not be written .*free some space"):
        exports.export(checkpoint, model, "saved_model")
    assert not list(model.parent.iterdir())
    fill(folder, left=0)
    assert isinstance(reconstruct(), UserError) and not list(shapes.iterdir())
    (folder / "ballast").unlink()
    exports.read(exports.export(checkpoint, model, "saved_model"))
    assert len(reconstruct()) == len(SHAPE_FORMATS) + 1


def test_exports_and_reconstructions_on_a_full_disk(tmp_path, checkpoint, mounts):
    processes.call(write_on_a_full_disk, tmp_path, checkpoint)


def load_from_a_read_only_disk(data_dir):
    processes.mount_read_only(data_dir)
    builder = preparation.prepare(two_step_run.settings(data_dir))
    assert len(splits.load(builder, "train"))
    with pytest.raises(UserError, match=r"masks_train.npy could not be written .*Read-only"):
        splits.load(builder, "train", max_memory=0)
    with pytest.raises(UserError, match=r"could not be written to .*make it writable or give anot"):
        preparation.prepare(two_step_run.settings(data_dir, image_size=16))


def test_a_prepared_data_set_is_read_from_a_read_only_disk(data, mounts):
    processes.call(load_from_a_read_only_disk, pathlib.Path(data.data_dir))


def build_from_a_read_only_disk(folder):
    links = folder / "my shapes"
    links.mkdir()
    (links / CHAIR).symlink_to(put_all(folder / "disk" / "ShapeNetVox32") / CHAIR)
    processes.mount_read_only(folder / "disk")
    settings = from_files(links, data_dir=str(folder / "prepared sets"))
    assert len(examples(preparation.prepare(settings))) == 5


def test_a_folder_of_links_to_a_read_only_disk(tmp_path, mounts):
    processes.call(build_from_a_read_only_disk, tmp_path)


def empty_in_turn(folder, use):
    """Empties each file below a folder in turn; `use` works, or its error names the folder."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(b"")
        try:
            use()
        except UserError as error:
            assert str(folder) in str(error)
        path.write_bytes(content)


def test_a_workdir_with_an_empty_file(trained, tmp_path):
    copy = pathlib.Path(shutil.copytree(trained[0], tmp_path / "run"))

    def use():
        workdirs.read_settings(copy)
        checkpoints.find(copy, "best")
        checkpoints.load_networks(checkpoints.find(copy, "last"))

    empty_in_turn(copy, use)
    (copy / "settings.flags").write_bytes(b"")
    with pytest.raises(UserError, match=r"settings\.flags is empty"):
        workdirs.read_settings(copy)


def test_a_data_set_with_an_empty_file(tmp_path, data):
    copy = pathlib.Path(shutil.copytree(data.data_dir, tmp_path / "data"))

    def use():
        builder = preparation.prepare(two_step_run.settings(copy))
        assert len(splits.load(builder, "train", with_voxels=True)) > 1
        overviews.summarize(builder)

    empty_in_turn(copy, use)


def test_odd_names_work(tmp_path, data, trained):
    folder = tmp_path / ODD
    workdir, exported, image = folder / ODD, folder / "models" / "1", folder / f"{ODD}.png"
    shutil.copytree(trained[0], workdir)
    shutil.copytree(data.data_dir, folder / "data")
    shutil.copy(EXAMPLE, image)
    builder = preparation.prepare(two_step_run.settings(folder / "data"))
    assert len(splits.load(builder, "train"))
    for arguments in (
        ["ptn_semi.export", f"--workdir={workdir}", f"--output={exported}"],
        ["ptn_semi.reconstruct", f"--model={exported}", f"--output_dir={folder / 'out'}", image],
    ):
        ended = processes.main(*arguments)
        assert ended.returncode == 0, ended.stderr
    assert (folder / "out" / f"{ODD}.glb").exists()


@pytest.mark.parametrize("name", ["two\nlines", os.fsdecode(b"\xff not UTF-8")], ids=repr)
def test_names_that_no_file_of_flags_can_hold_are_refused(tmp_path, data, name):
    shutil.copytree(data.data_dir, tmp_path / name)
    folders = f"--workdir={tmp_path / 'run'}", f"--data_dir={tmp_path / name}"
    sizes = "--categories=chair", "--num_shapes=20", "--num_views=3"
    ended = processes.main("ptn_semi.train", *folders, *sizes)
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "rename" in errors[0], ended.stderr
    assert "Traceback" not in ended.stderr


def test_training_in_a_folder_with_an_odd_name_resumes(tmp_path, data, trained):
    for steps in (1, 2):
        run = RunSettings(steps=steps, evaluate_every=1)
        processes.call(two_step_run.train, tmp_path / ODD, data, run)
    # TensorFlow, which the comparison reads with, would take [ab] for a pattern.
    (tmp_path / ODD).rename(tmp_path / "plain")
    assert_same_bits(tmp_path / "plain", trained[0])
