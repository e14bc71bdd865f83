"""Whole runs: what a workdir holds, exact resume, refusals."""

import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import processes
import ptn_semi
from ptn_semi.data import preparation, splits
from ptn_semi.evaluation import scoring
from ptn_semi.inference import images_to_shapes
from ptn_semi.models import architectures, checkpoints, networks, train_steps
from ptn_semi.models.predictor import Predictor
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings, check
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError
from tiny import TINY

BOTH = TrainSettings(batch_size=4)
# Without a GAN, whose graph takes long to trace.
TRAIN = dataclasses.replace(BOTH, supervision="labeled")
# All there is, what is ours too.
SEMI = dataclasses.replace(
    BOTH, occupancy_weight=30.0, self_reconstruction_weight=30.0, labeled_batch_size=2
)
RUN = RunSettings(steps=4, evaluate_every=2)
CONFIGS = pathlib.Path(ptn_semi.__file__).parent / "configs"


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSettings(
        data_dir=str(tmp_path_factory.mktemp("data")),
        categories=("chair", "table"),
        num_shapes=60,
        num_views=6,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """A finished run of four steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(architectures.PRESETS, "small", TINY)
        workdir = tmp_path_factory.mktemp("run") / "whole"
        trainer.train(workdir, data, TRAIN, RUN)
    return workdir


@pytest.fixture(scope="module")
def trained_on_everything(tmp_path_factory, data):
    """A finished run of four steps with every loss, and how often its functions were traced."""
    start_trainer, trainers = trainer.start_trainer, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(architectures.PRESETS, "small", TINY)
        keep = lambda *args: trainers.append(start_trainer(*args)) or trainers[-1]
        patch.setattr(trainer, "start_trainer", keep)
        workdir = tmp_path_factory.mktemp("run") / "everything"
        trainer.train(workdir, data, SEMI, RUN)
    functions = trainers[0].train_step, trainers[0].predictor._predict
    return workdir, [function.experimental_get_tracing_count() for function in functions]


def tensors(workdir):
    reader = tf.train.load_checkpoint(str(checkpoints.find(workdir, "last").path / "state"))
    names = sorted(set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"})
    return {name: reader.get_tensor(name) for name in names}


def assert_same_bits(a, b):
    a, b = tensors(a), tensors(b)
    assert a.keys() == b.keys()
    assert [name for name in a if not np.array_equal(a[name], b[name])] == []


def test_workdir_holds_what_the_docs_say(trained, data):
    assert (trained / "reconstructions.png").exists()
    assert list((trained / "tensorboard").glob("events*"))
    assert workdirs.read_settings(trained) == (data, TRAIN, RUN)
    best = checkpoints.find(trained, "best")
    assert best.step in (2, 4)
    assert 0 < best.progress["best"]["average_precision"] < 1


def test_settings_file_is_a_flagfile(trained, data):
    read = flags.read(trained / "settings.flags", DataSettings, TrainSettings, RunSettings)
    assert read == [data, TRAIN, RUN]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.flags")), ids=lambda path: path.stem)
def test_flagfiles_of_the_package_hold_flags(path, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent.parent)  # they name each other as the README does
    data, train, run = flags.read(path, DataSettings, TrainSettings, RunSettings)
    check(data, train, run)
    # The paper's recipe has nothing of ours, the others have all of it.
    ours = (train.occupancy_weight, train.self_reconstruction_weight, train.average_decay)
    assert (path.stem != "paper") == all(ours) == any(ours)
    assert train.mirror_views == (path.stem != "paper")


def test_auto_is_the_precision_that_the_machine_is_fastest_in(trained, data, monkeypatch, capsys):
    auto = dataclasses.replace(TRAIN, precision="auto")
    workdirs.check_settings(trained, data, auto)  # either may come of it
    monkeypatch.setattr(networks, "fastest_precision", lambda: "float32")
    trainer.train(trained, data, auto, RUN)
    assert "precision: float32" in capsys.readouterr().out
    assert workdirs.read_settings(trained)[1] == TRAIN
    monkeypatch.setattr(networks, "fastest_precision", lambda: "mixed_bfloat16")
    with pytest.raises(UserError, match=r"--precision=mixed_bfloat16 \(there float32\)"):
        trainer.train(trained, data, auto, RUN)


def test_a_slow_precision_is_told(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(networks, "fastest_precision", lambda: "float32")
    slow = dataclasses.replace(TRAIN, precision="mixed_bfloat16", init_from="nowhere")
    with pytest.raises(UserError, match="nowhere"):
        trainer.train(tmp_path, data, slow, RUN)
    assert "--precision=auto" in capsys.readouterr().out


def test_optimizers_and_steps_are_in_the_checkpoint(trained):
    names = tensors(trained)
    assert any("discriminator_optimizer" in name for name in names)
    steps = [value for name, value in names.items() if name.startswith("steps/")]
    assert steps == [4]


@pytest.mark.slow
def test_a_whole_run_traces_each_function_once(trained_on_everything):
    workdir, counts = trained_on_everything
    assert checkpoints.find(workdir, "last").step == 4
    assert counts == [1, 1]


@pytest.mark.slow
def test_masks_that_stay_on_disk_train_to_the_same_bits(trained, tmp_path, data, capsys):
    run = dataclasses.replace(RUN, max_masks_gb=0)
    builder = preparation.prepare(data)
    for name in ("written", "found"):
        masks = splits.load(builder, "train", max_memory=0).masks
        assert isinstance(masks, np.memmap)
        assert ("laying out masks" in capsys.readouterr().err) == (name == "written")
    trainer.train(tmp_path, data, TRAIN, run)
    assert_same_bits(tmp_path, trained)


def test_compiling_the_networks_is_for_gpus_unless_asked_for(tmp_path, data):
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    for choice, compiled in (("auto", on_gpu), ("on", True), ("off", False)):
        started = trainer.start_trainer(
            tmp_path, data, TRAIN, dataclasses.replace(RUN, jit_compile=choice)
        )
        assert started.train_step._jit_compile is compiled


@pytest.mark.slow
def test_interrupted_and_lengthened_run_ends_in_the_same_bits(trained, data, tmp_path, monkeypatch):
    batch_dataset = trainer.batches.batch_dataset

    def interrupting(*args, **kwargs):
        yield next(iter(batch_dataset(*args, **kwargs)))
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer.batches, "batch_dataset", interrupting)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(tmp_path, data, TRAIN, RunSettings(steps=2, evaluate_every=2))
    assert checkpoints.find(tmp_path, "last").step == 1
    monkeypatch.setattr(trainer.batches, "batch_dataset", batch_dataset)
    trainer.train(tmp_path, data, TRAIN, RUN)
    assert_same_bits(trained, tmp_path)


@pytest.mark.slow
def test_a_run_with_every_loss_goes_on_to_the_same_bits(trained_on_everything, data, tmp_path):
    whole, _ = trained_on_everything
    names = tensors(whole)
    for part in ("viewpoint_estimator", "viewpoint_optimizer", "discriminator_optimizer"):
        assert any(part in name for name in names)
    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step_00000004")
    assert checkpoints.find(tmp_path / "run", "last").step == 2
    trainer.train(tmp_path / "run", data, SEMI, RUN)
    assert_same_bits(whole, tmp_path / "run")


FILES = "checkpoint.json", "state.index", "state.data-00000-of-00001"
DAMAGE = {
    "flipped first": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "flipped inside": lambda content: content[:99] + bytes([content[99] ^ 16]) + content[100:],
    "flipped last": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_checkpoint_is_passed_over(trained, tmp_path, capsys, name, damage):
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    path = copy / "checkpoints" / "step_00000004" / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert checkpoints.find(copy, "last").step == 2
    assert "step_00000004 is damaged; the checkpoint before it is used" in capsys.readouterr().out
    with pytest.raises(UserError, match="step_00000004"):
        checkpoints.find(path.parent)


def test_every_flipped_bit_of_the_metadata_is_noticed(trained):
    path = trained / "checkpoints" / "step_00000004"
    metadata = (path / "checkpoint.json").read_bytes()
    whole = checkpoints.read(path)
    try:
        for place in range(0, len(metadata), 7):
            flipped = bytearray(metadata)
            flipped[place] ^= 1 << place % 8
            (path / "checkpoint.json").write_bytes(flipped)
            try:
                # White space between values may change, and the name of the digest itself.
                assert checkpoints.read(path) == whole
            except UserError as error:
                assert "step_00000004" in str(error)
    finally:
        (path / "checkpoint.json").write_bytes(metadata)


@pytest.mark.slow
def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(trained, data, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "step_00000004" / FILES[2]
    path.write_bytes(DAMAGE["cut"](path.read_bytes()))
    trainer.train(tmp_path / "run", data, TRAIN, RUN)
    assert_same_bits(trained, tmp_path / "run")


def test_a_damaged_best_checkpoint_is_not_replaced_silently(tmp_path):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    best = {"best": {"step": 0}}
    for step in range(2):
        model.steps.assign(step)
        checkpoints.save(tmp_path / "checkpoints", model, best, keep={0})
    assert checkpoints.find(tmp_path).step == 0
    shutil.rmtree(tmp_path / "checkpoints" / "step_00000000")
    with pytest.raises(UserError, match=r"of step 0, is missing or damaged: .*step_00000001"):
        checkpoints.find(tmp_path)
    assert checkpoints.find(tmp_path, "last").step == 1


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
        train_steps,
        "adversarial",
        lambda model, real: {"generator_loss": tf.where(model.steps > 2, np.nan, 1.0)},
    )
    with pytest.raises(UserError, match=r"generator_loss became nan at step 4.*step_00000002"):
        trainer.train(tmp_path, data, BOTH, RUN)
    assert checkpoints.find(tmp_path, "last").step == 2


@pytest.mark.slow
def test_init_from_starts_from_the_networks_and_freezes_the_encoder(trained, data, tmp_path):
    few_shot = dataclasses.replace(
        TRAIN, init_from=str(trained), freeze_encoder=True, supervision="labeled"
    )
    trainer.train(tmp_path, data, few_shot, RunSettings(steps=2, evaluate_every=2))
    before, after = checkpoints.find(trained), checkpoints.find(tmp_path)
    old, new = (checkpoints.load_model(each) for each in (before, after))
    for encoder in (new.encoder, new.average_encoder):
        for a, b in zip(old.average_encoder.weights, encoder.weights, strict=True):
            np.testing.assert_array_equal(a, b)
    changed = zip(old.average_generator.weights, new.generator.weights, strict=True)
    assert any((a.numpy() != b.numpy()).any() for a, b in changed)


@pytest.mark.slow
def test_init_from_a_run_without_a_viewpoint_estimator_and_back(
    trained, trained_on_everything, data, tmp_path
):
    for source, train in ((trained, SEMI), (trained_on_everything[0], TRAIN)):
        settings = dataclasses.replace(train, init_from=str(source))
        started = trainer.start_trainer(tmp_path, data, settings, RUN)
        start = checkpoints.load_model(checkpoints.find(source))
        for name in ("encoder", "generator"):
            before, after = getattr(start, f"average_{name}"), getattr(started.model, name)
            for a, b in zip(before.weights, after.weights, strict=True):
                np.testing.assert_array_equal(a, b)


def test_other_architecture_is_refused(trained, data, tmp_path, monkeypatch):
    larger = dataclasses.replace(TINY, latent_dim=16)
    monkeypatch.setitem(architectures.PRESETS, "small", larger)
    start = dataclasses.replace(TRAIN, init_from=str(trained))
    with pytest.raises(UserError, match="another architecture"):
        trainer.train(tmp_path, data, start, RUN)


def test_evaluation_counts_every_example_once(trained, data, tmp_path):
    predictions = tmp_path / "predictions.npz"
    scores = scoring.evaluate_workdir(
        trained, data, "test", num_views=3, save_predictions=predictions
    )
    assert json.loads((trained / "eval_test.json").read_text()) == scores
    with np.load(predictions) as kept:
        pairs = set(zip(kept["model_ids"], kept["views"], strict=True))
        assert (
            len(pairs) == len(kept["probabilities"]) == scores["rows"]["model"]["mean"]["num_views"]
        )
    assert scores["rows"]["model"]["mean"]["num_shapes"] * 3 == len(pairs)
    assert scores["rows"].keys() == {"model", "mean_shape"}
    assert scores["rows"]["model"].keys() == {"chair", "table", "mean"}
    assert scores["step"] == checkpoints.find(trained, "best").step


@pytest.mark.slow
def test_a_model_without_viewpoints_is_scored_in_the_frame_that_suits_it(
    trained, data, tmp_path, monkeypatch
):
    # A model whose front is 90° off: as good as the one it is made of.
    plain = scoring.evaluate_workdir(trained, data, "test", num_views=1)["rows"]["model"]
    predict = Predictor.__call__
    monkeypatch.setattr(
        Predictor,
        "__call__",
        lambda self, masks: geometry.turn_voxels(predict(self, masks), -90),
    )
    output = tmp_path / "turned.json"
    arguments = {"num_views": 1, "output": output}
    off = scoring.evaluate_workdir(trained, data, "test", **arguments)
    on = scoring.evaluate_workdir(trained, data, "test", global_turn=True, **arguments)
    assert off["turn"] == 0
    assert on["turn"] in range(0, 360, 10)
    assert json.loads(output.read_text())["turn"] == on["turn"]
    mean = on["rows"]["model"]["mean"]["average_precision"]
    assert mean > off["rows"]["model"]["mean"]["average_precision"]
    assert mean > plain["mean"]["average_precision"] - 0.02


def test_evaluation_of_an_unknown_split_names_the_splits(trained, data):
    with pytest.raises(UserError, match=r"--split=tests .* test \(\d+\)"):
        scoring.evaluate_workdir(trained, data, "tests")


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
def test_killed_run_resumes_to_the_same_bits(tmp_path):
    tool = pathlib.Path(__file__).parent.parent / "tools" / "faults" / "check_resume.py"
    ended = subprocess.run(
        [
            sys.executable,
            tool,
            "--kills=1",
            f"--workdir={tmp_path / 'runs'}",
            "--",
            "--steps=6",
            "--evaluate_every=2",
            "--batch_size=2",
            "--num_shapes=60",
            "--categories=chair,table",
            f"--data_dir={tmp_path / 'data'}",
            "--supervision=labeled",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "step 6 and 6" in ended.stdout


@pytest.mark.slow
def test_failed_start_leaves_the_workdir_free_and_no_posed_shapes_are_one(data, tmp_path, capsys):
    with pytest.raises(UserError, match="unicorn"):
        trainer.train(tmp_path, dataclasses.replace(data, categories=("unicorn",)), TRAIN, RUN)
    one = dataclasses.replace(TRAIN, pose_fraction=0.0)
    trainer.train(tmp_path, data, one, RunSettings(steps=1, evaluate_every=1))
    assert " 1 of them with viewpoints" in capsys.readouterr().out


def test_start_from_elsewhere_is_refused_in_a_trained_workdir(trained, data, tmp_path):
    other = dataclasses.replace(TRAIN, init_from=str(tmp_path))
    with pytest.raises(UserError, match="--init_from="):
        trainer.train(trained, data, other, RUN)


def test_mirror_images_want_azimuths_to_both_sides(data, tmp_path):
    one_sided = dataclasses.replace(data, azimuth_range=(0.0, 90.0))
    with pytest.raises(UserError, match="--nomirror_views"):
        trainer.train(tmp_path, one_sided, TRAIN, RUN)


def test_settings_that_do_not_go_together_are_refused(data, tmp_path):
    alone = dataclasses.replace(TRAIN, supervision="unlabeled")
    for wrong, mend in (
        ({"adversarial_weight": 0.0}, "needs an adversarial_weight"),
        ({"self_reconstruction_weight": 1.0}, "needs an occupancy_weight"),
    ):
        with pytest.raises(UserError, match=f"supervision=unlabeled .* {mend}"):
            trainer.train(tmp_path, data, dataclasses.replace(alone, **wrong), RUN)


def test_scores_that_cannot_be_written_are_an_error_and_leave_nothing(trained, data, tmp_path):
    folder = tmp_path / "taken"
    folder.write_text("a file where a folder is wanted")
    with pytest.raises(UserError, match=r"taken/scores\.json could not be written"):
        scoring.evaluate_workdir(trained, data, "test", num_views=1, output=folder / "scores.json")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_workdir_reconstructs_images(trained):
    reconstructor = images_to_shapes.load(trained)
    best = checkpoints.find(trained)
    assert reconstructor.threshold == best.progress["best"]["threshold"]
    assert 0.5 < reconstructor.extent <= 1
    masks = np.random.default_rng(0).integers(0, 2, [3, 32, 32, 1]).astype(np.float32)
    model = checkpoints.load_model(best)
    np.testing.assert_allclose(reconstructor.predict(masks), model(masks), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "name an image"), (["image.png"], "holds no checkpoint"), (["--format=stl"], "stl")],
)
def test_reconstruct_says_what_is_wrong(tmp_path, arguments, said):
    process = processes.main("ptn_semi.reconstruct", f"--model={tmp_path}", *arguments)
    assert process.returncode == 1 and process.stderr.startswith("error: ")
    assert said in process.stderr and "Traceback" not in process.stderr
