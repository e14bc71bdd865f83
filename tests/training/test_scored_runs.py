"""Runs that are scored and used."""

import dataclasses
import json

import numpy as np
import pytest

from ptn_semi.evaluation.workdir_scores import evaluate_workdir, table
from ptn_semi.inference import reconstruction
from ptn_semi.models import checkpoints
from ptn_semi.models.networks import Networks
from ptn_semi.projection import geometry
from ptn_semi.utils.errors import UserError
from support.tiny_runs import TRAIN

# Without labels, no hulls have to be carved for baselines.
UNLABELED = dataclasses.replace(TRAIN, supervision="unlabeled", adversarial_weight=1.0)


def test_evaluation_counts_every_example_once(trained, data, tmp_path, capsys):
    predictions = tmp_path / "predictions.npz"
    scores = evaluate_workdir(
        trained, data, TRAIN, "test", num_views=3, save_predictions=predictions
    )
    written = [trained / "eval_test.json", trained / "eval_test.png", predictions]
    assert capsys.readouterr().out.endswith(f"written: {', '.join(map(str, written))}\n")
    assert json.loads((trained / "eval_test.json").read_text()) == scores
    assert (trained / "eval_test.png").exists()
    mean = scores["rows"]["model"]["mean"]
    with np.load(predictions) as kept:
        pairs = set(zip(kept["model_ids"], kept["views"], strict=True))
        assert len(pairs) == len(kept["probabilities"]) == mean["num_views"]
    assert mean["num_shapes"] * 3 == len(pairs)
    assert scores["rows"].keys() == {"model", "mean_hull", "nearest", "mean_shape"}
    assert 0 <= mean["written_iou"] <= mean["written_f1"] <= 1
    assert "mask IoU" in table(scores["rows"])
    assert scores["rows"]["model"].keys() == {"chair", "table", "mean"}
    assert scores["step"] == checkpoints.find(trained, "best").info.step


def test_a_model_without_viewpoints_is_scored_in_the_frame_that_suits_it(
    trained, data, tmp_path, monkeypatch
):
    # A model whose front is 90° off: as good as the one it is made of.
    output = tmp_path / "turned.json"
    arguments = {"num_views": 1, "output": output}
    score = lambda **more: evaluate_workdir(trained, data, UNLABELED, "test", **arguments, **more)
    precision = lambda scores: scores["rows"]["model"]["mean"]["average_precision"]
    plain = score(global_turn=True)
    predict = Networks.predict
    monkeypatch.setattr(
        Networks, "predict", lambda self, masks: geometry.turn_voxels(predict(self, masks), -90)
    )
    off, on = score(), score(global_turn=True)
    assert off["turn"] == 0
    assert json.loads(output.read_text())["turn"] == on["turn"]
    assert (on["turn"] - plain["turn"] - 90) % 360 == 0
    assert precision(on) == pytest.approx(precision(plain), abs=1e-6)
    assert on["rows"].keys() == {"model", "mean_shape"}
    assert "an oracle" in table(on["rows"]) and "nearest" not in table(on["rows"])


def test_scores_that_cannot_be_written_are_an_error_and_leave_nothing(trained, data, tmp_path):
    folder = tmp_path / "taken"
    folder.write_text("a file where a folder is wanted")
    arguments = {"num_views": 1, "output": folder / "scores.json"}
    with pytest.raises(UserError, match=r"taken/scores\.json could not be written"):
        evaluate_workdir(trained, data, UNLABELED, "validation", **arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_workdir_reconstructs_images(trained):
    reconstructor = reconstruction.load_model(trained)
    best = checkpoints.find(trained)
    assert reconstructor.threshold == best.progress.best.threshold == best.info.threshold
    assert 0.5 < reconstructor.extent <= 1
    masks = np.random.default_rng(0).integers(0, 2, [3, 32, 32, 1]).astype(np.float32)
    model = checkpoints.load_networks(best)
    np.testing.assert_allclose(reconstructor.predict(masks), model(masks), atol=1e-5)
