"""Sweeps of loss weights and learning rates with KerasTuner.

A sweep's workdir holds:

  sweep.flags      the settings that are searched, and the flags that all trials share
  sweep/           KerasTuner's own state, from which a stopped sweep resumes
  trials/<id>/     the workdir of each trial's training
  trials.csv       settings and scores of every trial
  tensorboard/     the same, for the HParams tab
  trials.png       validation AP against each setting
  best.flags       the best trial's settings, a flagfile for `ptn_semi.train`
"""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import shutil
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src import config as keras_tuner_config
from keras_tuner.src import utils as keras_tuner_utils

from ptn_semi.data import preparation
from ptn_semi.settings import SWEPT, DataSettings, RunSettings, TrainSettings
from ptn_semi.sweeps import report, workers
from ptn_semi.sweeps.search_space import OBJECTIVE, Sweep
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_Settings = tuple[DataSettings, TrainSettings, RunSettings]


def _save_json(path: str, content: Any) -> None:
    with files.replacing(path) as partial:
        partial.write_text(json.dumps(content), encoding="utf-8")


class Tuner(base_tuner.BaseTuner):
    """A KerasTuner tuner that trains each trial in its own workdir, as `ptn_semi.train` does."""

    def __init__(self, workdir: pathlib.Path, sweep: Sweep, settings: _Settings):
        # KerasTuner cannot resume from the half-written file that its own function may leave.
        keras_tuner_utils.save_json = _save_json
        self._workdir = workdir
        self._settings = settings
        _, train, run = settings
        epochs = math.ceil(run.steps / run.evaluate_every)
        super().__init__(
            sweep.oracle(train, epochs), directory=os.fspath(workdir), project_name="sweep"
        )
        if not self._is_worker():
            self.save()  # from now on the sweep can be resumed
        self.oracle.verbose = 0
        keras_tuner_config.DEBUG = False  # otherwise it prints a traceback for each failed trial

    def _get_tuner_fname(self) -> str:
        # KerasTuner names it by KERASTUNER_TUNER_ID. A sweep that a chief began would then not be
        # resumed by a process without that variable.
        name = self.tuner_id if self._is_worker() else "tuner"
        return os.path.join(self.project_dir, f"{name}.json")

    def reload(self) -> None:
        """Load the state on disk, even if a kill came between the files of one change."""
        try:
            super().reload()
        except (ValueError, KeyError, RuntimeError) as error:
            raise UserError(
                f"{self.project_dir} is damaged: delete it and run the same command again, which "
                "draws the trials again and keeps their trainings"
            ) from error
        if self._is_worker():
            return
        oracle = self.oracle
        for trial_id in set(oracle.trials) - set(oracle.start_order):
            del oracle.trials[trial_id]  # it will be drawn again
        oracle._retry_queue = [
            trial_id for trial_id in oracle._retry_queue if trial_id not in oracle.end_order
        ]

    def trial_settings(self, values: dict[str, Any]) -> _Settings:
        """Return the settings of the training that has these hyperparameters."""
        data, train, run = self._settings
        chosen = {name: value for name, value in values.items() if name in SWEPT}
        if "tuner/epochs" in values:  # set by hyperband
            steps = min(run.steps, values["tuner/epochs"] * run.evaluate_every)
            run = dataclasses.replace(run, steps=steps)
        return data, dataclasses.replace(train, **chosen), run

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Train a trial; return its best validation score as {"average_precision": score}."""
        values = trial.hyperparameters.values
        workdir = self._workdir / "trials" / trial.trial_id
        earlier = values.get("tuner/trial_id")
        if earlier and not workdir.exists():
            # Hyperband continues a shorter training.
            with files.replacing(workdir) as partial:
                shutil.copytree(workdir.with_name(earlier), partial)
        try:
            checkpoint = trainer.train(workdir, *self.trial_settings(values))
        except UserError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        finally:
            keras.backend.clear_session()  # also collects garbage
        # Only processes that share a training have no checkpoint, and a finished run has a best.
        assert checkpoint is not None and checkpoint.progress.best is not None
        return {OBJECTIVE: checkpoint.progress.best.average_precision}

    def rows(self) -> list[dict[str, Any]]:
        """Return a dict for each trial: trial, status, steps, score, settings and message."""
        rows: list[dict[str, Any]] = []
        names = [space.name for space in self.oracle.get_space().space if space.name in SWEPT]
        for trial in self.oracle.trials.values():
            _, train, run = self.trial_settings(trial.hyperparameters.values)
            message = (trial.message or "").strip().splitlines()
            row = {"trial": trial.trial_id, "status": trial.status.lower(), "steps": run.steps}
            row |= {OBJECTIVE: trial.score, **{name: getattr(train, name) for name in names}}
            rows.append(row | {"message": message[-1] if message else ""})
        return sorted(rows, key=lambda row: row["trial"])


def search(
    workdir: str | os.PathLike,
    sweep: Sweep,
    data: DataSettings,
    train: TrainSettings,
    run: RunSettings,
    num_workers: int = 1,
) -> dict[str, Any] | None:
    """Run or resume a search around some settings, and report it.

    As many trials as there are workers run at once, in processes of their own if more than one.
    KerasTuner's environment variables, such as KERASTUNER_TUNER_ID, can make this process a worker
    or the chief. It then does only its part and reports nothing.

    Returns:
      The best trial's row, see `Tuner.rows`; None in a worker or chief.

    Raises:
      UserError: if the workdir holds another sweep, the data cannot be used, or no trial succeeds.
    """
    workdir = pathlib.Path(workdir)
    alone = "KERASTUNER_ORACLE_IP" not in os.environ
    with workdirs.claimed(workdir) if alone else contextlib.nullcontext():
        _keep_settings(workdir, sweep, (data, train, run))
        preparation.prepare(data)
        if alone and num_workers > 1:
            flagfile = workdir / workdirs.SWEEP_FILE
            workers.run_trials(workdir, flagfile, num_workers, sweep.max_trials)
        tuner = Tuner(workdir, sweep, (data, train, run))
        try:
            tuner.search()  # finds nothing to do if there were workers
        except RuntimeError as error:  # KerasTuner's, after several failures in a row
            failed = [row["message"] for row in tuner.rows() if row["message"]]
            raise UserError(
                f"the sweep stopped because trials kept failing: {failed[-1] if failed else error}"
            ) from error
        if not alone:
            return None
        best = report.write(tuner.rows(), workdir)
        if best is None:
            raise UserError(f"no trial of {workdir} has a score: see {workdir / 'trials.csv'}")
        chosen = {name: best[name] for name in SWEPT if name in best}
        with files.replacing(workdir / "best.flags") as partial:
            partial.write_text(
                flags.to_text(data, dataclasses.replace(train, **chosen), run), encoding="utf-8"
            )
        return best


def _keep_settings(workdir: pathlib.Path, sweep: Sweep, settings: _Settings) -> None:
    """Write a sweep's settings to its workdir as a flagfile.

    Raises:
      UserError: if the workdir holds a training or a sweep with other settings, if KerasTuner
        cannot use its name, or if a training is shared by several machines.
    """
    if settings[2].strategy == "multi_worker":
        raise UserError(
            "the machines of a sweep share its trials, not the steps of one training: leave out "
            "--strategy=multi_worker"
        )
    if set("[]*?") & set(str(workdir)):
        raise UserError(
            f"--workdir={workdir} contains one of []*?, which KerasTuner takes for a pattern: "
            "rename it"
        )
    if (workdir / workdirs.SETTINGS_FILE).exists():
        raise UserError(f"--workdir={workdir} holds a training: give another one")
    # Without --max_trials, because a resumed sweep may run more trials.
    lines = [f"--sweep={name}\n" for name in sweep.names]
    lines += [f"--spread={sweep.spread}\n--tuner={sweep.tuner}\n--sweep_seed={sweep.seed}\n"]
    text = "".join(lines) + flags.to_text(*settings)
    path = workdir / workdirs.SWEEP_FILE
    if not path.exists() and (workdir / "sweep").exists():
        raise UserError(f"{workdir} holds a sweep of an earlier version: give another --workdir")
    if path.exists() and path.read_bytes() != text.encode():
        raise UserError(f"{workdir} holds a sweep with other settings: give another --workdir")
    with files.replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
