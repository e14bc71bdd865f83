"""Sweeps: what is searched and kept, resuming, failed trials, workers that die."""

import csv
import dataclasses
import functools
import subprocess

import pytest

from ptn_semi import settings
from ptn_semi.models import architectures, checkpoints
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.sweeps import tuner, workers
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils import children, flags
from ptn_semi.utils.errors import UserError
from support import forked_children
from support.tiny_networks import TINY

TRAIN = TrainSettings(batch_size=4)
RUN = RunSettings(steps=4, evaluate_every=2)
SWEEP = tuner.Sweep(("reconstruction_weight", "adversarial_weight"), 4.0, "random", 2, 0)


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return DataSettings(data_dir=str(folder), categories=("chair",), num_shapes=40, num_views=4)


@pytest.fixture
def quick(monkeypatch):
    """Makes trainings end at once; yields [(workdir, run)] of what was trained."""
    trained = []

    def train(workdir, data, train, run):
        trained.append((workdir, run))
        return forked_children.quick_training(workdir, data, train, run)

    monkeypatch.setattr(trainer, "train", train)
    # There is no model to free, and looking for one takes seconds in a process of many tests.
    monkeypatch.setattr(tuner.keras.backend, "clear_session", lambda: None)
    return trained


def table(workdir):
    with open(workdir / "trials.csv") as file:
        return list(csv.DictReader(file))


def test_settings_are_searched_around_their_flags_if_their_loss_is_used():
    sweep = dataclasses.replace(SWEEP, names=settings.SWEPT)
    with_gan = {each.name: each for each in sweep.space(TRAIN).space}
    weight = with_gan["reconstruction_weight"]
    assert (weight.min_value, weight.max_value, weight.sampling) == (2.5, 40, "log")
    assert "occupancy_weight" not in with_gan
    without_gan = sweep.space(dataclasses.replace(TRAIN, adversarial_weight=0.0)).space
    assert with_gan.keys() - {each.name for each in without_gan} == {
        "adversarial_weight",
        "gradient_penalty_weight",
        "discriminator_learning_rate",
    }
    with pytest.raises(UserError, match="nothing to sweep"):
        dataclasses.replace(SWEEP, names=("occupancy_weight",)).space(TRAIN)


@pytest.mark.slow
def test_a_trial_is_a_training_with_its_own_workdir(tmp_path, data):
    sweep = dataclasses.replace(SWEEP, names=("reconstruction_weight",), max_trials=1)
    labeled = dataclasses.replace(TRAIN, supervision="labeled")  # no GAN, which is slow to trace
    run = dataclasses.replace(RUN, steps=2)
    best = tuner.search(tmp_path, sweep, data, labeled, run)
    kept = checkpoints.find(tmp_path / "trials" / best["trial"])
    assert kept.progress.best.average_precision == best["average_precision"]


def test_a_sweep_leaves_a_table_a_picture_and_the_best_flags(tmp_path, data, quick):
    best = tuner.search(tmp_path, SWEEP, data, TRAIN, RUN)
    rows = table(tmp_path)
    assert [row["status"] for row in rows] == ["completed"] * 2
    assert best["average_precision"] == max(float(row["average_precision"]) for row in rows)
    assert all(list((tmp_path / "tensorboard" / row["trial"]).iterdir()) for row in rows)
    assert (tmp_path / "trials.png").stat().st_size
    read = flags.read(tmp_path / "best.flags", DataSettings, TrainSettings, RunSettings)
    changed = {name: best[name] for name in SWEEP.names}
    assert read == [data, dataclasses.replace(TRAIN, **changed), RUN]
    assert 2.5 <= best["reconstruction_weight"] <= 40


def test_a_stopped_sweep_resumes(tmp_path, data, quick, monkeypatch):
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
    assert len({workdir for workdir, _ in quick}) == len(quick) == 4
    # More trials may be asked for, but no other sweep.
    tuner.search(tmp_path, dataclasses.replace(sweep, max_trials=5), data, TRAIN, RUN)
    assert len(quick) == 5
    with pytest.raises(UserError, match="other settings"):
        tuner.search(tmp_path, dataclasses.replace(sweep, spread=2.0), data, TRAIN, RUN)


def test_workdirs_that_cannot_be_used_are_refused(tmp_path, data):
    with pytest.raises(UserError, match="takes for a pattern"):
        tuner.search(tmp_path / "a[1]", SWEEP, data, TRAIN, RUN)
    (tmp_path / "old" / "sweep").mkdir(parents=True)
    with pytest.raises(UserError, match="holds a sweep of an earlier version"):
        tuner.search(tmp_path / "old", SWEEP, data, TRAIN, RUN)
    for name, holds in (("settings.flags", "holds a training"), ("sweep.flags", "with other")):
        workdir = tmp_path / name
        workdir.mkdir()
        (workdir / name).write_text("--seed=1\n")
        with pytest.raises(UserError, match=holds):
            tuner.search(workdir, SWEEP, data, TRAIN, RUN)
    with workdirs.claimed(tmp_path), pytest.raises(UserError, match="in use by process"):
        tuner.search(tmp_path, SWEEP, data, TRAIN, RUN)


def test_the_same_seed_draws_the_same_trials(tmp_path, data, quick):
    for name in ("one", "two"):
        tuner.search(tmp_path / name, SWEEP, data, TRAIN, RUN)
    assert table(tmp_path / "one") == table(tmp_path / "two")
    tuner.search(tmp_path / "other", dataclasses.replace(SWEEP, seed=1), data, TRAIN, RUN)
    assert table(tmp_path / "other") != table(tmp_path / "one")


@pytest.mark.parametrize(("kind", "trials"), [("bayesian", 4), ("hyperband", 13)])
def test_other_tuners(tmp_path, data, quick, kind, trials):
    run = dataclasses.replace(RUN, steps=18)  # 9 validations
    sweep = dataclasses.replace(SWEEP, tuner=kind, max_trials=trials)
    tuner.search(tmp_path, sweep, data, TRAIN, run)
    assert len(table(tmp_path)) == len(quick) == trials
    *_, kept = flags.read(tmp_path / "best.flags", DataSettings, TrainSettings, RunSettings)
    assert kept == run
    if kind == "hyperband":
        assert {run.steps for _, run in quick} == {2, 6, 18}
        # A longer training continues a shorter one.
        trained = [(workdir / "trained").read_text().split() for workdir, _ in quick]
        assert ["2", "6", "18"] in trained


def test_failed_trials_are_listed_and_three_end_a_sweep(tmp_path, data, quick, monkeypatch):
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


def test_workers_share_the_trials_and_a_killed_one_is_started_again(tmp_path, data, monkeypatch):
    start = functools.partial(forked_children.ForkedChild, forked_children.use_quick_trainings)
    monkeypatch.setattr(children, "start", start)
    best = tuner.search(tmp_path, SWEEP, data, TRAIN, RUN, num_workers=2)
    rows = table(tmp_path)
    assert [row["status"] for row in rows] == ["completed"] * 2
    assert best["average_precision"] == max(float(row["average_precision"]) for row in rows)
    assert (tmp_path / "trials" / "0" / "trained").read_text() == "4\n"
    assert len(list((tmp_path / "workers").glob("worker?.txt"))) == 2


def test_a_worker_that_starts_after_the_last_trial_is_stopped(tmp_path, monkeypatch):
    started = []

    def start(command, log, environment):
        is_chief = environment["KERASTUNER_TUNER_ID"] == "chief"
        started.append(subprocess.Popen(["true"] if is_chief else ["sleep", "600"]))
        return started[-1]

    monkeypatch.setattr(children, "start", start)
    monkeypatch.setattr(workers, "_POLL", 0)
    workers.run_trials(tmp_path, tmp_path / "flags.txt", 2, 2)
    assert [child.poll() for child in started] == [0, -15, -15]


def test_workers_that_keep_failing_end_the_sweep(tmp_path, data, monkeypatch):
    def start(command, log, environment):
        log.write_text("error: no space\n")
        return subprocess.Popen(["false"])

    monkeypatch.setattr(children, "start", start)
    monkeypatch.setattr(workers, "_POLL", 0)
    with pytest.raises(UserError, match="of the sweep failed: no space; see"):
        tuner.search(tmp_path, SWEEP, data, TRAIN, RUN, num_workers=2)


def find_the_best_at_once():
    tuner.search = lambda *_: {"average_precision": 0.5, "trial": "0"}


def test_a_sweep_ends_with_the_whole_command_that_trains_with_its_best_settings(tmp_path):
    log = tmp_path / "log.txt"
    command = ["ptn_semi.tune", f"--workdir={tmp_path / 'w'}"]
    child = forked_children.ForkedChild(find_the_best_at_once, command, log)
    assert child.wait() == 0, log.read_text()
    flags_of_best = f"--flagfile={tmp_path}/w/best.flags --workdir={tmp_path}/w/best"
    assert f"python -m ptn_semi.train {flags_of_best}\n" in log.read_text()
