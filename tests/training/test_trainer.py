"""Whole runs: what a workdir holds, exact resume, refusals."""

import dataclasses
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import ptn_semi
from ptn_semi.models import checkpoints, networks, pretrained
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings, check
from ptn_semi.training import precision, start, trainer, workdirs
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError
from support import processes
from support.small_models import REFINING, build, same, weights
from support.tiny_networks import TINY
from support.tiny_runs import BOTH, RUN, SEMI, TRAIN

CONFIGS = pathlib.Path(ptn_semi.__file__).parent / "configs"


def test_workdir_holds_what_the_docs_say(trained, data):
    assert (trained / "reconstructions.png").exists()
    assert list((trained / "tensorboard").glob("events*"))
    assert workdirs.read_settings(trained) == (data, TRAIN, RUN)
    best = checkpoints.find(trained, "best")
    assert best.info.step in (2, 4)
    assert 0 < best.progress.best.average_precision < 1


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.flags")), ids=lambda path: path.stem)
def test_flagfiles_of_the_package_hold_flags(path, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent.parent)  # they name each other as the README does
    data, train, run = flags.read(path, DataSettings, TrainSettings, RunSettings)
    check(data, train, run)
    # The paper's recipe has nothing of ours, the others have all of it.
    ours = (train.occupancy_weight, train.self_reconstruction_weight, train.ema_decay)
    assert (path.stem != "paper") == all(ours) == any(ours)
    assert train.mirror_views == (path.stem != "paper")


def test_auto_precision_is_the_fastest_of_this_machine(trained, data, monkeypatch, capsys):
    auto = dataclasses.replace(TRAIN, precision="auto")
    workdirs.check_settings(trained, data, auto)  # either may come of it
    monkeypatch.setattr(precision, "fastest_precision", lambda: "float32")
    trainer.train(trained, data, auto, RUN)
    assert "precision: float32" in capsys.readouterr().out
    assert workdirs.read_settings(trained)[1] == TRAIN
    monkeypatch.setattr(precision, "fastest_precision", lambda: "mixed_bfloat16")
    with pytest.raises(UserError, match=r"--precision=mixed_bfloat16 \(there float32\)"):
        trainer.train(trained, data, auto, RUN)


def test_other_settings_and_a_workdir_in_use_are_refused(trained, data, tmp_path):
    for name, value, there in (("pose_fraction", 0.1, "0.5"), ("init_from", str(tmp_path), "")):
        other = dataclasses.replace(TRAIN, **{name: value})
        with pytest.raises(UserError, match=rf"--{name}={value} \(there {there}\)"):
            trainer.train(trained, data, other, RUN)
    with (
        workdirs.claimed(trained),
        pytest.raises(UserError, match=f"in use by process {os.getpid()}@"),
    ):
        trainer.train(trained, data, TRAIN, RUN)


@pytest.mark.slow
def test_loss_that_is_not_finite_stops_the_run(data, tmp_path, monkeypatch):
    monkeypatch.setattr(
        SemiSupervisedReconstructor,
        "_adversarial",
        lambda model, *_: {"generator_loss": tf.where(model.steps > 2, np.nan, 1.0)},
    )
    with pytest.raises(UserError, match=r"generator_loss became nan at step 4.*step_00000002"):
        trainer.train(tmp_path, data, BOTH, RUN)
    assert checkpoints.find(tmp_path, "last").info.step == 2


@pytest.mark.slow
def test_init_from_starts_from_the_networks_and_freezes_the_encoder(
    trained, data, tmp_path, capsys
):
    few_shot = dataclasses.replace(
        TRAIN, init_from=str(trained), freeze_encoder=True, pose_fraction=0.0
    )
    # A start that fails leaves the workdir free.
    with pytest.raises(UserError, match="unicorn"):
        trainer.train(tmp_path, dataclasses.replace(data, categories=("unicorn",)), few_shot, RUN)
    trainer.train(tmp_path, data, few_shot, RunSettings(steps=2, evaluate_every=2))
    assert " 2 of them with viewpoints" in capsys.readouterr().out  # one of each category
    before, after = checkpoints.find(trained), checkpoints.find(tmp_path)
    old, new = (checkpoints.load_networks(each) for each in (before, after))
    assert same(weights(old.encoder), weights(new.encoder))
    assert not same(weights(old.generator), weights(new.generator))


@pytest.mark.slow
def test_init_from_a_run_without_a_viewpoint_estimator_and_back(
    trained, trained_on_everything, data, tmp_path
):
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    for source, train, jit_compile, compiled in (
        (trained, SEMI, "auto", on_gpu),
        (trained_on_everything.workdir, TRAIN, "on", True),
    ):
        train = dataclasses.replace(train, init_from=str(source))
        run = dataclasses.replace(RUN, jit_compile=jit_compile)
        started = trainer.Trainer(tmp_path, data, train, run)
        assert started.train_step._jit_compile is compiled
        before = checkpoints.load_networks(checkpoints.find(source)).parts
        for after in (started.model.networks.parts, started.model.ema.parts):
            for name in before.keys() & after.keys():
                assert same(weights(before[name]), weights(after[name]))


def test_init_from_a_pretrained_model(trained, tmp_path, monkeypatch):
    settings = ModelSettings(TINY, has_viewpoint_estimator=True, has_refiner=True)
    source, _ = networks.build_networks(settings)
    info = ModelInfo(settings, 0.4, 0.8, ("chair",), 1)
    pretrained.write(source, info, tmp_path)
    monkeypatch.setitem(pretrained.FOLDERS, 32, tmp_path)
    for model, init_from in (
        (build(**REFINING, seed=4), "pretrained"),
        (build(supervision="labeled", seed=4), str(tmp_path)),
    ):
        discriminator = weights(model.discriminator)
        start.initialize(model, init_from)
        for networks_ in (model.networks, model.ema):
            for name, part in networks_.parts.items():
                for a, b in zip(weights(part), weights(source.parts[name]), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
        assert same(weights(model.discriminator), discriminator)
    finer = build(**REFINING, settings={"voxel_size": 64}, seed=4)
    refiner = weights(finer.networks.refiner)
    start.initialize(finer, "pretrained")
    assert same(weights(finer.networks.refiner), refiner)  # R starts anew at another resolution
    np.testing.assert_allclose(
        finer.networks.generator.weights[0], source.generator.weights[0], rtol=1e-3, atol=1e-6
    )
    for source, said in (
        ("pretrained", r"--init_from=pretrained has another architecture: .* --model_voxel"),
        (str(trained), "step_0000000. has another architecture: .* --model_voxel_size=32"),
    ):
        with pytest.raises(UserError, match=said):
            start.initialize(build(settings={"voxel_size": 64}), source)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--pose_fraction=2", "pose_fraction=2"),
        ("stray", "'stray' is not a flag"),
        ("--flagfile=missing.flags", "missing.flags"),
    ],
)
def test_main_says_in_one_sentence_what_is_wrong(tmp_path, flag, said):
    ended = processes.main("ptn_semi.train", f"--workdir={tmp_path / 'run'}", flag)
    assert ended.returncode == 1 and said in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1, ended.stderr


UNLABELED = TrainSettings(supervision="unlabeled", adversarial_weight=1.0)


@pytest.mark.parametrize(
    ("settings", "changes", "said"),
    [
        (UNLABELED, {"adversarial_weight": 0.0}, "unlabeled .* needs an adversarial_weight"),
        (UNLABELED, {"self_reconstruction_weight": 1.0}, "unlabeled .* needs an occupancy_weight"),
        (TRAIN, {"pose_fraction": 0.0}, "no viewpoint .* add --procedural_shapes=2000 .*unlabeled"),
        (TRAIN, {"model_voxel_size": 64}, "than the data set's voxels: give --voxel_size=64"),
        (RUN, {"strategy": "mirrored", "jit_compile": "on"}, "cannot use --jit_compile=on"),
        (RUN, {"strategy": "multi_worker", "max_minutes": 1.0}, "cannot use --max_minutes"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, changes, said):
    with pytest.raises(UserError, match=said):
        changed = dataclasses.replace(settings, **changes)
        train, run = (changed, RUN) if settings is not RUN else (TRAIN, changed)
        workdirs.check_training(None, DataSettings(), train, run)


@pytest.mark.parametrize("settings", [UNLABELED, TrainSettings(procedural_shapes=8)])
def test_no_viewpoint_of_the_data_set_is_needed_beside_a_gan_or_procedural_shapes(settings):
    train = dataclasses.replace(settings, pose_fraction=0.0)
    workdirs.check_training(None, DataSettings(), train, RUN)


@pytest.mark.slow
def test_learning_rates_fall_to_zero(data, tmp_path, trained_on_everything):
    def rates(started):
        optimizers = started.model.built_optimizers
        return {name: float(optimizer.learning_rate) for name, optimizer in optimizers.items()}

    first = rates(trainer.Trainer(tmp_path, data, SEMI, RUN))
    assert first["encoder_optimizer"] == pytest.approx(1e-3)
    assert first["discriminator_optimizer"] == pytest.approx(1e-4)
    # Some networks are updated twice or more in a step.
    assert rates(trained_on_everything) == pytest.approx(dict.fromkeys(first, 0.0), abs=1e-9)


def test_weight_that_is_not_finite_is_not_saved(data, tmp_path):
    started = trainer.Trainer(tmp_path, data, TRAIN, RunSettings(steps=2, evaluate_every=1))
    take_step = started._take_step

    def spoil(batch):
        losses = take_step(batch)
        if started.step == 1:  # the second step; the EMA, which is scored, stays whole
            weight = started.model.networks.encoder.trainable_variables[0]
            weight.assign(tf.fill(weight.shape, np.inf))
        return losses

    started._take_step = spoil
    with pytest.raises(UserError, match=r"the weight .* by step 2: .*step_00000001 is the last"):
        started.train()
    assert checkpoints.find(tmp_path, "last").info.step == 1


def test_a_run_ends_after_its_minutes_with_a_checkpoint(data, tmp_path, capsys):
    run = RunSettings(steps=1000, evaluate_every=1000, max_minutes=1e-6)
    for _ in range(2):  # the second finds it finished
        assert trainer.train(tmp_path, data, TRAIN, run).info.step == 1
    said = capsys.readouterr().out
    assert "device: " in said
    assert said.count("losses in the bar: rec = reconstruction_loss, lat = ") == 1
