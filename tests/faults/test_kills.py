"""Jobs that are killed (`kill -9`): the same command again completes them."""

import os
import random
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ptn_semi.data import preparation
from ptn_semi.evaluation import workdir_scores
from ptn_semi.inference import exports, images_to_shapes
from ptn_semi.models import checkpoints
from ptn_semi.sweeps import tuner
from ptn_semi.training import trainer
from support import forked_children, processes, two_step_run
from support.extruding_reconstructor import FAKE
from support.tiny_runs import TRAIN, assert_same_bits

pytestmark = pytest.mark.slow
# How many moments of each job; KILL_POINTS=1000 tries all there are.
POINTS = int(os.environ.get("KILL_POINTS", 1))
SWEEP = tuner.Sweep(("reconstruction_weight",), 4.0, "random", 3, 0)


def survive(tmp_path, job, *args):
    """Yields (folder, whole) for some moments of a job: killed and done again, and undisturbed."""
    whole = tmp_path / "whole"
    steps = processes.call(job, whole, *args)
    for folder in killed_and_done_again(tmp_path, steps, job, *args):
        yield folder, whole


def killed_and_done_again(tmp_path, steps, job, *args):
    """Yields the folder of a job for some moments of the steps that it takes."""
    for moment in random.Random(0).sample(range(steps), min(POINTS, steps)):
        folder = tmp_path / f"killed_{moment}"
        processes.call(job, folder, *args, kill_before=moment)
        processes.call(job, folder, *args)
        yield folder
        # But for TFDS' own note of a config, which all data sets of a folder share.
        others = [path for path in folder.rglob("*") if path.parent.name != ".config"]
        assert not [
            path for path in others if re.search(r"(^|[._])(partial|incomplete)", path.name)
        ]


def contents(folder):
    """The files below a folder, by their path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.match(".config/incomplete.*") and path.suffix != ".lock"
    }


def test_training(tmp_path, data, trained):
    whole, steps = trained
    for folder in killed_and_done_again(tmp_path, steps, two_step_run.train, data):
        killed, expected = (checkpoints.find(workdir, "last") for workdir in (folder, whole))
        assert killed.info.step == expected.info.step == 2
        assert killed.progress.best == expected.progress.best
        assert_same_bits(folder, whole)


def build(data_dir):
    preparation.prepare(two_step_run.settings(data_dir))


def test_building_a_data_set(tmp_path):
    for folder, whole in survive(tmp_path, build):
        assert contents(folder) == contents(whole)


def sweep(workdir, data):
    trainer.train = forked_children.quick_training
    tuner.search(workdir, SWEEP, data, TRAIN, two_step_run.RUN)


def test_a_sweep(tmp_path, data):
    for folder, whole in survive(tmp_path, sweep, data):
        for name in ("trials.csv", "best.flags"):
            assert (folder / name).read_text() == (whole / name).read_text()
        assert len(list(folder.glob("trials/*/trained"))) == SWEEP.max_trials


def export(folder, checkpoint):
    if not (folder / "1").exists():  # an export is not replaced
        exports.export(checkpoint, folder / "1", "saved_model")


def test_an_export(tmp_path, checkpoint):
    masks = tf.ones([1, 32, 32, 1])
    for folder, whole in survive(tmp_path, export, checkpoint):
        voxels, expected = (
            tf.saved_model.load(str(each / "1")).signatures["serving_default"](mask=masks)["voxels"]
            for each in (folder, whole)
        )
        np.testing.assert_array_equal(voxels, expected)


def reconstruct(folder, images):
    options = images_to_shapes.Options(("glb", "binvox"))
    for _, result, _ in images_to_shapes.reconstruct_files(FAKE, [images], folder, options):
        assert isinstance(result, list)


def test_reconstructions(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for i in range(2):
        pixels = np.zeros([32, 32], np.uint8)
        pixels[4 : 20 + i, 8:20] = 255
        Image.fromarray(pixels).save(images / f"{i}.png")
    for folder, whole in survive(tmp_path, reconstruct, images):
        assert contents(folder) == contents(whole)


def score(folder, workdir, data):
    output, predictions = folder / "scores.json", folder / "predictions.npz"
    workdir_scores.evaluate_workdir(
        workdir, data, TRAIN, "test", num_views=1, output=output, save_predictions=predictions
    )


def test_an_evaluation(tmp_path, data, trained):
    for folder, whole in survive(tmp_path, score, trained[0], data):
        for name in ("scores.json", "scores.png"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes()
        assert len(np.load(folder / "predictions.npz")["probabilities"])
