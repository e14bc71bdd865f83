"""Sweeps: what is searched, what is kept, going on after a stop, workers that die."""

import csv
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from ptn_semi import settings
from ptn_semi.models import architectures, checkpoints
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.sweeps import tuner
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError
from support.tiny_networks import TINY

TRAIN = TrainSettings(batch_size=4)
RUN = RunSettings(steps=4, evaluate_every=2)
SWEEP = tuner.Sweep(("reconstruction_weight", "adversarial_weight"), 4.0, "random", 2, 0)
# For tests that really train: without a GAN, whose graph takes long to trace.
LABELED = dataclasses.replace(TRAIN, supervision="labeled")
SWEEP_LABELED = dataclasses.replace(
    SWEEP, names=("reconstruction_weight", "voxel_invariance_weight")
)


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return DataSettings(data_dir=str(folder), categories=("chair",), num_shapes=40, num_views=4)


@pytest.fixture
def quick(monkeypatch):
    """Trainings that end at once, with a score that grows with the weight; what was trained."""
    trained = []

    def train(workdir, data, train, run):
        trained.append((pathlib.Path(workdir), train, run))
        workdir.mkdir(parents=True, exist_ok=True)
        with open(workdir / "trained", "a") as file:
            print(run.steps, file=file)
        score = {"average_precision": train.reconstruction_weight / 100}
        return checkpoints.Checkpoint(workdir, run.steps, {}, {"best": score})

    monkeypatch.setattr(trainer, "train", train)
    # There is no model to free, and looking for one takes seconds in a process of many tests.
    monkeypatch.setattr(tuner.keras.backend, "clear_session", lambda: None)
    return trained


def table(workdir):
    with open(workdir / "trials.csv") as file:
        return list(csv.DictReader(file))


def test_the_space_is_around_the_flags_and_without_what_is_left_out():
    sweep = dataclasses.replace(SWEEP, names=settings.SWEPT)
    space = sweep.space(TRAIN)
    bounds = {each.name: (each.min_value, each.max_value) for each in space.space}
    assert bounds["reconstruction_weight"] == (2.5, 40)
    assert "gradient_penalty_weight" in bounds and "occupancy_weight" not in bounds
    assert all(each.sampling == "log" for each in space.space)
    without_gan = dataclasses.replace(TRAIN, adversarial_weight=0.0)
    names = {each.name for each in sweep.space(without_gan).space}
    assert not names & {
        "adversarial_weight",
        "gradient_penalty_weight",
        "discriminator_learning_rate",
    }
    with pytest.raises(UserError, match="nothing to sweep"):
        dataclasses.replace(SWEEP, names=("occupancy_weight",)).space(TRAIN)


@pytest.mark.slow
def test_a_sweep_leaves_a_table_a_picture_and_the_best_flags(tmp_path, data):
    best = tuner.search(tmp_path, SWEEP_LABELED, data, LABELED, RUN)
    rows = table(tmp_path)
    assert [row["status"] for row in rows] == ["completed"] * 2
    scores = [float(row["average_precision"]) for row in rows]
    assert best["average_precision"] == max(scores)
    for row, score in zip(rows, scores, strict=True):
        kept = checkpoints.find(tmp_path / "trials" / row["trial"])
        assert kept.progress["best"]["average_precision"] == score
        assert list((tmp_path / "tensorboard" / row["trial"]).iterdir())
    read = flags.read(tmp_path / "best.flags", DataSettings, TrainSettings, RunSettings)
    assert read[0] == data and read[2] == RUN
    changed = {name: best[name] for name in SWEEP_LABELED.names}
    assert read[1] == dataclasses.replace(LABELED, **changed)
    assert 2.5 <= best["reconstruction_weight"] <= 40
    assert (tmp_path / "trials.png").stat().st_size


def test_a_sweep_that_was_stopped_goes_on(tmp_path, data, quick, monkeypatch):
    finished = trainer.train

    def stopped(*args):
        if len(quick) == 1:
            raise KeyboardInterrupt
        return finished(*args)

    sweep = dataclasses.replace(SWEEP, max_trials=4)
    monkeypatch.setattr(trainer, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        tuner.search(tmp_path, sweep, data, TRAIN, RUN)
    monkeypatch.setattr(trainer, "train", finished)
    tuner.search(tmp_path, sweep, data, TRAIN, RUN)
    assert [row["status"] for row in table(tmp_path)] == ["completed"] * 4
    assert len({workdir for workdir, _, _ in quick}) == len(quick) == 4
    # More trials may be asked for, but no other sweep.
    tuner.search(tmp_path, dataclasses.replace(sweep, max_trials=5), data, TRAIN, RUN)
    assert len(quick) == 5
    with pytest.raises(UserError, match="other settings"):
        tuner.search(tmp_path, dataclasses.replace(sweep, spread=2.0), data, TRAIN, RUN)


def test_a_workdir_that_would_be_a_pattern_is_refused(tmp_path, data):
    with pytest.raises(UserError, match="takes for a pattern"):
        tuner.search(tmp_path / "a[1]", SWEEP, data, TRAIN, RUN)


def test_the_same_seed_draws_the_same_trials(tmp_path, data, quick):
    for name in ("one", "two"):
        tuner.search(tmp_path / name, SWEEP, data, TRAIN, RUN)
    assert table(tmp_path / "one") == table(tmp_path / "two")
    tuner.search(tmp_path / "other", dataclasses.replace(SWEEP, seed=1), data, TRAIN, RUN)
    assert table(tmp_path / "other") != table(tmp_path / "one")


def test_a_kill_leaves_no_half_state(tmp_path, monkeypatch, data):
    path = tmp_path / "oracle.json"
    tuner.Tuner(tmp_path / "sweep", SWEEP, data, TRAIN, RUN)
    save = tuner.keras_tuner_utils.save_json
    save(path, {"whole": 1})

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save(path, {"whole": 2})
    assert tuner.keras_tuner_utils.load_json(path) == {"whole": 1}


def test_two_sweeps_in_one_workdir_are_refused(tmp_path, data, quick):
    with workdirs.claimed(tmp_path), pytest.raises(UserError, match="in use by process"):
        tuner.search(tmp_path, SWEEP, data, TRAIN, RUN)


@pytest.mark.parametrize(("kind", "trials"), [("bayesian", 4), ("hyperband", 13)])
def test_other_tuners(tmp_path, data, quick, kind, trials):
    run = dataclasses.replace(RUN, steps=18)  # 9 validations
    sweep = dataclasses.replace(SWEEP, tuner=kind, max_trials=trials)
    tuner.search(tmp_path, sweep, data, TRAIN, run)
    assert len(table(tmp_path)) == len(quick) == trials
    *_, kept = flags.read(tmp_path / "best.flags", DataSettings, TrainSettings, RunSettings)
    assert kept == run
    if kind == "hyperband":
        assert {run.steps for _, _, run in quick} == {2, 6, 18}
        # It goes on with what it trained less.
        trained = [(workdir / "trained").read_text().split() for workdir, _, _ in quick]
        assert ["2", "6", "18"] in trained


def test_failed_trials_are_listed_and_three_in_a_row_stop(tmp_path, data, quick, monkeypatch):
    finished = trainer.train

    def failing(workdir, *args):
        if workdir.name in failures:
            raise UserError("the loss became nan")
        return finished(workdir, *args)

    monkeypatch.setattr(trainer, "train", failing)
    failures = {"1"}
    sweep = dataclasses.replace(SWEEP, max_trials=3)
    tuner.search(tmp_path / "some", sweep, data, TRAIN, RUN)
    rows = table(tmp_path / "some")
    assert [row["status"] for row in rows] == ["completed", "failed", "completed"]
    assert "the loss became nan" in rows[1]["message"]
    failures = {"0", "1", "2"}
    with pytest.raises(UserError, match="the loss became nan"):
        tuner.search(tmp_path / "all", sweep, data, TRAIN, RUN)


@pytest.mark.slow
def test_workers_share_the_trials_and_one_that_is_killed_comes_back(tmp_path):
    workdir = tmp_path / "sweep"
    command = [
        sys.executable,
        "-m",
        "ptn_semi.tune",
        f"--workdir={workdir}",
        "--workers=2",
        "--max_trials=2",
        "--sweep=reconstruction_weight",
        "--categories=chair",
        f"--data_dir={tmp_path / 'data'}",
        "--num_shapes=40",
        "--num_views=4",
        "--steps=4",
        "--evaluate_every=2",
        "--batch_size=4",
        "--supervision=labeled",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    held = lambda: [lock for lock in workdir.glob("trials/*/.lock") if lock.read_text()]
    while not held() and process.poll() is None:
        time.sleep(0.1)
    lock = held()[0]
    os.kill(int(lock.read_text().partition("@")[0]), signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "best validation AP" in out
    assert [row["status"] for row in table(workdir)] == ["completed"] * 2
    assert len(list((workdir / "workers").glob("worker?.txt"))) == 2
