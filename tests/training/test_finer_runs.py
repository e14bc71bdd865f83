"""Runs whose masks, or voxels too, are finer than usual: trained, scored, exported and used."""

import dataclasses

import numpy as np
import pytest

from ptn_semi.evaluation.workdir_scores import evaluate_workdir
from ptn_semi.images.silhouettes import Found
from ptn_semi.inference import exports, reconstruction
from ptn_semi.settings import DataSettings, RunSettings
from ptn_semi.training import trainer
from ptn_semi.utils.errors import UserError
from support.tiny_runs import SEMI


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSettings(
        data_dir=str(tmp_path_factory.mktemp("data")),
        categories=("chair",),
        num_shapes=12,
        num_views=4,
        voxel_size=64,
        image_size=64,
    )


SHORT = RunSettings(steps=1, evaluate_every=1)


def test_finer_masks_of_coarser_voxels(data, tmp_path):
    train = dataclasses.replace(SEMI, supervision="labeled", model_voxel_size=32)
    checkpoint = trainer.train(tmp_path, data, train, SHORT)
    assert checkpoint.info.settings.voxel_size == 32
    kept = tmp_path / "predictions.npz"
    scores = evaluate_workdir(tmp_path, data, train, "test", num_views=1, save_predictions=kept)
    # Scored on the data set's voxels.
    assert np.load(kept)["probabilities"].shape[1:] == (64, 64, 64)
    assert scores["rows"].keys() == {"model", "mean_hull", "nearest", "mean_shape"}


def test_finer_masks_and_voxels_and_procedural_shapes_that_stand_for_all_labels(
    data, tmp_path, capsys
):
    train = dataclasses.replace(SEMI, pose_fraction=0.0, procedural_shapes=8)
    checkpoint = trainer.train(tmp_path / "run", data, train, SHORT)
    assert (tmp_path / "run" / "reconstructions.png").exists()
    printed = capsys.readouterr().out
    assert " 0 of them with viewpoints" in printed and "8 procedural shapes: chair" in printed
    assert checkpoint.info.categories == ("chair",)
    scores = evaluate_workdir(tmp_path / "run", data, train, "test", num_views=1)
    assert scores["rows"].keys() == {"model", "mean_shape"}
    coarse = dataclasses.replace(data, voxel_size=32)
    with pytest.raises(UserError, match=r"reconstructs 64³ voxels, .* give --voxel_size=64"):
        evaluate_workdir(tmp_path / "run", coarse, train, "test", num_views=1)
    exported = exports.export(tmp_path / "run", tmp_path / "model" / "1", "saved_model")
    used, served = (reconstruction.load_model(path) for path in (tmp_path / "run", exported))
    silhouette = np.zeros((90, 120), bool)
    silhouette[20:70, 30:80] = True
    view = reconstruction.frame_view(used, Found(np.zeros((90, 120, 3), np.uint8), silhouette, ()))
    voxels = [reconstruction.reconstruct(model, [view] * 2).voxels for model in (used, served)]
    assert voxels[0].shape == (64, 64, 64)
    np.testing.assert_allclose(*voxels, atol=1e-5)
