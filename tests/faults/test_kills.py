"""Kill -9 anywhere: the same command again ends as if nothing had been."""

import os
import pathlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ptn_semi import settings
from ptn_semi.data import overviews, preparation
from ptn_semi.evaluation import scoring
from ptn_semi.inference import exports, images_to_shapes
from ptn_semi.models import architectures, checkpoints, shipped
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.sweeps import tuner
from ptn_semi.training import trainer
from support import processes
from support.extruding_reconstructor import FAKE
from support.tiny_networks import TINY
from support.tiny_runs import assert_same_bits

pytestmark = pytest.mark.slow
# How many moments of each job; KILL_POINTS=1000 for all there are.
POINTS = int(os.environ.get("KILL_POINTS", 1))
# Without a GAN, whose graph takes long to trace.
TRAIN = TrainSettings(batch_size=4, supervision="labeled")
RUN = RunSettings(steps=2, evaluate_every=1)
SWEEP = tuner.Sweep(("reconstruction_weight",), 4.0, "random", 3, 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    settings = DataSettings(
        data_dir=str(tmp_path_factory.mktemp("data")),
        categories=("chair",),
        num_shapes=40,
        num_views=3,
    )
    preparation.prepare(settings)
    return settings


def survive(tmp_path, job, *args, again=None):
    """Yields (folder, `whole`) for each moment of a job: killed there, and done again.

    Args:
      job: called with a folder and `args`.
      again: in place of job, the second time.
    """
    whole = tmp_path / "whole"
    steps = processes.call(job, whole, *args)
    assert steps
    moments = random.Random(0).sample(range(steps), min(POINTS, steps))
    for moment in moments:
        folder = tmp_path / f"killed_{moment}"
        processes.kill(job, folder, *args, before=moment)
        processes.call(again or job, folder, *args)
        yield folder, whole
        names = [str(path.relative_to(folder)) for path in folder.rglob("*")]
        left = [name for name in names if "partial" in name or "incomplete" in name]
        # TFDS' own note of a config, which all data sets of a folder share.
        assert [name for name in left if ".config/" not in name] == []


def train(workdir, data):
    architectures.PRESETS["small"] = TINY
    trainer.train(workdir, data, TRAIN, RUN)


def test_training(tmp_path, data):
    for folder, whole in survive(tmp_path, train, data):
        assert_same_bits(folder, whole)
        assert checkpoints.find(folder).progress["best"] == checkpoints.find(whole).progress["best"]


def build(data_dir):
    preparation.prepare(DataSettings(data_dir=str(data_dir), num_shapes=20, num_views=2))


def build_and_show(data_dir):
    """What `ptn_semi.build_data` does."""
    settings = DataSettings(data_dir=str(data_dir), num_shapes=20, num_views=2)
    assert overviews.draw_samples(preparation.prepare(settings)).exists()


def test_building_a_data_set(tmp_path):
    contents = lambda root: {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.match(".config/incomplete.*")
    }
    for folder, whole in survive(tmp_path, build, again=build_and_show):
        built, expected = contents(folder), contents(whole)
        assert built.keys() == expected.keys()
        differing = [name for name in built if built[name] != expected[name]]
        assert [name for name in differing if not name.endswith(".lock")] == []


def quick_training(workdir, data, train, run):
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / "trained").write_text("")
    score = {"average_precision": train.reconstruction_weight / 100}
    return checkpoints.Checkpoint(workdir, run.steps, {}, {"best": score})


def sweep(workdir, data):
    trainer.train = quick_training
    tuner.search(workdir, SWEEP, data, TRAIN, RUN)


def test_a_sweep(tmp_path, data):
    for folder, whole in survive(tmp_path, sweep, data):
        for name in ("trials.csv", "best.flags"):
            assert (folder / name).read_text() == (whole / name).read_text()
        assert len(list(folder.glob("trials/*/trained"))) == SWEEP.max_trials


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    progress = {"best": {"step": 0, "threshold": 0.35}, "extent": 0.7}
    return checkpoints.save(tmp_path_factory.mktemp("run"), model, progress, keep=set()).path


def export(folder, checkpoint):
    if not (folder / "1").exists():  # which is refused
        exports.export(checkpoint, folder / "1", "saved_model")


def test_an_export(tmp_path, checkpoint):
    for folder, _ in survive(tmp_path, export, checkpoint):
        exported, _ = exports.read(folder / "1")
        trained = checkpoints.load_model(checkpoints.read(checkpoint))
        for a, b in zip(
            shipped.averaged_variables(exported), shipped.averaged_variables(trained), strict=True
        ):
            np.testing.assert_array_equal(a, b)
        assert "serving_default" in tf.saved_model.load(str(folder / "1")).signatures


def reconstruct(folder, images):
    for _, result, _ in images_to_shapes.reconstruct_files(
        FAKE, [images], folder, images_to_shapes.Options(settings.SHAPE_FORMATS)
    ):
        assert isinstance(result, list)


def test_reconstructions(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for i in range(2):
        pixels = np.zeros([32, 32], np.uint8)
        pixels[4 : 20 + i, 8:20] = 255
        Image.fromarray(pixels).save(images / f"{i}.png")
    contents = lambda root: {path.name: path.read_bytes() for path in root.iterdir()}
    for folder, whole in survive(tmp_path, reconstruct, images):
        done, expected = contents(folder), contents(whole)
        assert done.keys() == expected.keys()
        different = {name for name in done if done[name] != expected[name]}
        assert {pathlib.Path(name).suffix for name in different} <= {".npz"}  # has the time in it


def score(folder, workdir, data):
    architectures.PRESETS["small"] = TINY
    scoring.evaluate_workdir(
        workdir,
        data,
        TRAIN,
        "test",
        num_views=1,
        output=folder / "scores.json",
        save_predictions=folder / "predictions.npz",
    )


def test_an_evaluation(tmp_path, data):
    processes.call(train, tmp_path / "run", data)
    for folder, whole in survive(tmp_path, score, tmp_path / "run", data):
        assert (folder / "scores.json").read_text() == (whole / "scores.json").read_text()
        assert (folder / "scores.png").read_bytes() == (whole / "scores.png").read_bytes()
        assert np.load(folder / "predictions.npz").keys()
