"""Whole runs: what a workdir holds, exact resume, refusals."""

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import ptn_semi
from ptn_semi.data import procedural_shapes
from ptn_semi.evaluation import workdir_scores
from ptn_semi.models import architectures, checkpoints, networks, pretrained
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


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


def test_workdir_holds_what_the_docs_say(trained, data):
    assert (trained / "reconstructions.png").exists()
    assert list((trained / "tensorboard").glob("events*"))
    assert workdirs.read_settings(trained) == (data, TRAIN, RUN)
    best = checkpoints.find(trained, "best")
    assert best.info.step in (2, 4)
    assert 0 < best.progress.best.average_precision < 1


def test_settings_file_is_a_flagfile(trained, data):
    read = flags.read(trained / "settings.flags", DataSettings, TrainSettings, RunSettings)
    assert read == [data, TRAIN, RUN]


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


def test_a_slow_precision_prints_a_note(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precision, "fastest_precision", lambda: "float32")
    slow = dataclasses.replace(TRAIN, precision="mixed_bfloat16", init_from="nowhere")
    with pytest.raises(UserError, match="nowhere"):
        trainer.train(tmp_path, data, slow, RUN)
    assert "--precision=auto" in capsys.readouterr().out


def test_compiling_the_networks_is_for_gpus_unless_asked_for(tmp_path, data):
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    for choice, compiled in (("auto", on_gpu), ("on", True), ("off", False)):
        started = trainer.start_trainer(
            tmp_path, data, TRAIN, dataclasses.replace(RUN, jit_compile=choice)
        )
        assert started.train_step._jit_compile is compiled


def test_other_settings_are_refused_by_name(trained, data):
    other = dataclasses.replace(TRAIN, pose_fraction=0.1)
    with pytest.raises(UserError, match=r"--pose_fraction=0.1 \(there 0.5\)"):
        trainer.train(trained, data, other, RUN)


def test_workdir_in_use_is_refused(trained, data):
    with workdirs.claimed(trained), pytest.raises(UserError, match="in use by process"):
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
def test_init_from_starts_from_the_networks_and_freezes_the_encoder(trained, data, tmp_path):
    few_shot = dataclasses.replace(
        TRAIN, init_from=str(trained), freeze_encoder=True, supervision="labeled"
    )
    trainer.train(tmp_path, data, few_shot, RunSettings(steps=2, evaluate_every=2))
    before, after = checkpoints.find(trained), checkpoints.find(tmp_path)
    old, new = (checkpoints.load_networks(each) for each in (before, after))
    assert same(weights(old.encoder), weights(new.encoder))
    assert not same(weights(old.generator), weights(new.generator))


@pytest.mark.slow
def test_init_from_a_run_without_a_viewpoint_estimator_and_back(
    trained, trained_on_everything, data, tmp_path
):
    for source, train in ((trained, SEMI), (trained_on_everything[0], TRAIN)):
        settings = dataclasses.replace(train, init_from=str(source))
        started = trainer.start_trainer(tmp_path, data, settings, RUN)
        before = checkpoints.load_networks(checkpoints.find(source)).parts
        for after in (started.model.networks.parts, started.model.ema.parts):
            for name in before.keys() & after.keys():
                assert same(weights(before[name]), weights(after[name]))


def test_init_from_the_pretrained_model(tmp_path, monkeypatch):
    settings = ModelSettings(TINY, has_viewpoint_estimator=True, has_refiner=True)
    source, _ = networks.build_networks(settings)
    info = ModelInfo(settings, 0.4, 0.8, ("chair",), 1)
    pretrained.write(source, info, tmp_path)
    read = pretrained.read
    monkeypatch.setattr(pretrained, "read", lambda: read(tmp_path))
    for model in (build(**REFINING, seed=4), build(supervision="labeled", seed=4)):
        discriminator = weights(model.discriminator)
        start.initialize(model, "pretrained")
        for networks_ in (model.networks, model.ema):
            for name, part in networks_.parts.items():
                for a, b in zip(weights(part), weights(source.parts[name]), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
        assert same(weights(model.discriminator), discriminator)
    with pytest.raises(UserError, match=r"--init_from=pretrained has another .* --model_voxel"):
        start.initialize(build(settings={"voxel_size": 64}), "pretrained")


def test_other_architecture_is_refused(trained, data, tmp_path, monkeypatch):
    larger = dataclasses.replace(TINY, latent_dim=16)
    monkeypatch.setitem(architectures.PRESETS, "small", larger)
    start = dataclasses.replace(TRAIN, init_from=str(trained))
    with pytest.raises(UserError, match="another architecture"):
        trainer.train(tmp_path, data, start, RUN)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--pose_fraction=2"], "pose_fraction=2"),
        (["--preset=huge"], "preset=huge"),
        (["--categories=unicorn"], "unicorn"),
        (["--dataset=meshes"], "--manual_dir"),
        (["--no_such_flag=1"], "no_such_flag"),
        (["stray"], "'stray' is not a flag"),
        (["--flagfile=missing.flags"], "missing.flags"),
        (["--elevation_range=40,-20"], "elevation_range"),
    ],
)
def test_main_says_in_one_sentence_what_is_wrong(tmp_path, arguments, message):
    folders = f"--workdir={tmp_path / 'run'}", f"--data_dir={tmp_path / 'data'}"
    ended = processes.main("ptn_semi.train", *folders, *arguments)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1, ended.stderr


@pytest.mark.slow
def test_failed_start_leaves_the_workdir_free_and_no_posed_shapes_are_one_each(
    data, tmp_path, capsys
):
    with pytest.raises(UserError, match="unicorn"):
        trainer.train(tmp_path, dataclasses.replace(data, categories=("unicorn",)), TRAIN, RUN)
    one = dataclasses.replace(TRAIN, pose_fraction=0.0)
    trainer.train(tmp_path, data, one, RunSettings(steps=1, evaluate_every=1))
    assert " 2 of them with viewpoints" in capsys.readouterr().out


def test_procedural_shapes_may_stand_for_all_labels(data, tmp_path, capsys):
    train = dataclasses.replace(SEMI, pose_fraction=0.0, procedural_shapes=20)
    checkpoint = trainer.train(tmp_path, data, train, RunSettings(steps=2, evaluate_every=2))
    printed = capsys.readouterr().out
    assert " 0 of them with viewpoints" in printed
    assert "20 procedural shapes: chair, table" in printed
    assert procedural_shapes.NAME not in checkpoint.info.categories
    scores = workdir_scores.evaluate_workdir(tmp_path, data, train, split="test")
    assert set(scores["rows"]) == {"model", "mean_shape"}


def test_start_from_elsewhere_is_refused_in_a_trained_workdir(trained, data, tmp_path):
    other = dataclasses.replace(TRAIN, init_from=str(tmp_path))
    with pytest.raises(UserError, match="--init_from="):
        trainer.train(trained, data, other, RUN)


def test_mirror_images_want_azimuths_to_both_sides(data, tmp_path):
    one_sided = dataclasses.replace(data, azimuth_range=(0.0, 90.0))
    with pytest.raises(UserError, match="--nomirror_views"):
        workdirs.check_training(tmp_path, one_sided, TRAIN, RUN)


def test_settings_that_do_not_go_together_are_refused(data, tmp_path):
    alone = dataclasses.replace(TRAIN, supervision="unlabeled")
    for wrong, fix in (
        ({"adversarial_weight": 0.0}, "needs an adversarial_weight"),
        ({"self_reconstruction_weight": 1.0}, "needs an occupancy_weight"),
    ):
        with pytest.raises(UserError, match=f"supervision=unlabeled .* {fix}"):
            trainer.train(tmp_path, data, dataclasses.replace(alone, **wrong), RUN)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "name an image"), (["image.png"], "holds no checkpoint"), (["--format=fbx"], "fbx")],
)
def test_reconstruct_says_what_is_wrong(tmp_path, arguments, said):
    process = processes.main("ptn_semi.reconstruct", f"--model={tmp_path}", *arguments)
    assert process.returncode == 1 and process.stderr.startswith("error: ")
    assert said in process.stderr and "Traceback" not in process.stderr
