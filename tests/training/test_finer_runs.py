"""Runs whose masks, or voxels too, are finer than usual: trained, scored, exported and used."""

import dataclasses

import numpy as np
import pytest

from ptn_semi.evaluation.workdir_scores import evaluate_workdir
from ptn_semi.inference import exports, reconstruction
from ptn_semi.inference.silhouettes import Found
from ptn_semi.models import architectures
from ptn_semi.settings import DataSettings, check
from ptn_semi.training import trainer
from ptn_semi.utils.errors import UserError
from support.tiny_networks import TINY
from support.tiny_runs import RUN, SEMI


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSettings(
        data_dir=str(tmp_path_factory.mktemp("data")),
        categories=("chair",),
        num_shapes=20,
        num_views=4,
        voxel_size=64,
        image_size=64,
    )


SHORT = dataclasses.replace(RUN, steps=2)


def test_finer_masks_of_coarser_voxels(data, tmp_path):
    train = dataclasses.replace(SEMI, supervision="labeled", model_voxel_size=32)
    checkpoint = trainer.train(tmp_path, data, train, SHORT)
    assert checkpoint.info.settings.voxel_size == 32
    kept = tmp_path / "predictions.npz"
    scores = evaluate_workdir(tmp_path, data, train, "test", num_views=1, save_predictions=kept)
    # Scored on the data set's voxels.
    assert np.load(kept)["probabilities"].shape[1:] == (64, 64, 64)
    assert scores["rows"].keys() == {"model", "mean_hull", "nearest", "mean_shape"}


def test_finer_masks_and_voxels(data, tmp_path):
    trainer.train(tmp_path / "run", data, SEMI, SHORT)
    assert (tmp_path / "run" / "reconstructions.png").exists()
    coarse = dataclasses.replace(data, voxel_size=32)
    with pytest.raises(UserError, match=r"reconstructs 64³ voxels, .* give --voxel_size=64"):
        evaluate_workdir(tmp_path / "run", coarse, SEMI, "test", num_views=1)
    exported = exports.export(tmp_path / "run", tmp_path / "model" / "1", "saved_model")
    used, served = (reconstruction.load_model(path) for path in (tmp_path / "run", exported))
    silhouette = np.zeros((90, 120), bool)
    silhouette[20:70, 30:80] = True
    view = reconstruction.frame_view(used, Found(np.zeros((90, 120, 3), np.uint8), silhouette, ()))
    voxels = [reconstruction.reconstruct(model, [view] * 2).voxels for model in (used, served)]
    assert voxels[0].shape == (64, 64, 64)
    np.testing.assert_allclose(*voxels, atol=1e-5)


def test_sizes_that_do_not_go_together_are_refused(data):
    coarse = dataclasses.replace(data, voxel_size=32)
    train = dataclasses.replace(SEMI, model_voxel_size=64)
    with pytest.raises(UserError, match=r"finer than the data set's voxels: give --voxel_size=64"):
        check(coarse, train, RUN)
