"""Sweeps of loss weights and learning rates with KerasTuner.

A sweep's workdir holds

  sweep.json       what is swept, and the flags that all trials share
  sweep/           KerasTuner's own state, from which a sweep that was stopped goes on
  trials/<id>/     the workdir of each trial's training
  trials.csv       settings and scores of every trial
  tensorboard/     the same, for the HParams tab
  trials.png       validation AP against each setting
  best.flags       the best trial's settings, a flagfile that `ptn_semi.train` takes
"""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import shutil

import keras
import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.src import config as keras_tuner_config
from keras_tuner.src import utils as keras_tuner_utils

from ptn_semi.data import preparation
from ptn_semi.settings import SWEPT
from ptn_semi.sweeps import report
from ptn_semi.training import trainer, workdirs
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

_OBJECTIVE = "average_precision"
_SETTINGS_FILE = "sweep.json"
_OF_THE_GAN = ("gradient_penalty_weight", "discriminator_learning_rate")


def _save_json(path, content):
    with files.replacing(path) as partial:
        partial.write_text(json.dumps(content))


# KerasTuner's own leaves half a file where it is killed, and cannot go on from that.
keras_tuner_utils.save_json = _save_json


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is searched, and how.

    Attributes:
      names: settings of `settings.SWEPT` to search.
      spread: each is drawn between its value in the flags divided and multiplied by this, evenly
        over the logarithm.
      tuner: one of `settings.TUNERS`.
      max_trials: most trainings.
      seed: of the search.
    """

    names: tuple[str, ...]
    spread: float
    tuner: str
    max_trials: int
    seed: int

    def space(self, train):
        """`keras_tuner.HyperParameters` around the values of a `TrainSettings`.

        A weight of 0 leaves its loss out; it stays 0, and so do those of the GAN without the GAN.

        Raises:
          UserError: nothing is left to search.
        """
        space = keras_tuner.HyperParameters()
        for name in self.names:
            middle = getattr(train, name)
            if not middle or (name in _OF_THE_GAN and not train.adversarial_weight):
                continue
            low, high = middle / self.spread, middle * self.spread
            space.Float(name, low, high, sampling="log", default=middle)
        if not space.space:
            raise UserError(
                f"nothing to sweep: {', '.join(self.names)} have no effect with these flags"
            )
        return space

    def oracle(self, train, max_epochs):
        """KerasTuner's choice of trials; an epoch is the time between two validations."""
        common = {
            "objective": keras_tuner.Objective(_OBJECTIVE, "max"),
            "seed": self.seed + 1,  # KerasTuner takes 0 for none, and draws one
            "hyperparameters": self.space(train),
            "allow_new_entries": False,
        }
        if self.tuner == "hyperband":
            oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=max_epochs, **common)
            oracle.max_trials = self.max_trials
            return oracle
        oracle = {
            "random": keras_tuner.oracles.RandomSearchOracle,
            "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
        }[self.tuner]
        return oracle(max_trials=self.max_trials, **common)


class Tuner(base_tuner.BaseTuner):
    """Trains each trial in a workdir of its own, with the code of `ptn_semi.train`.

    Args:
      workdir: of the sweep.
      sweep: a `Sweep`.
      data, train, run: settings of the trainings.
    """

    def __init__(self, workdir, sweep, data, train, run):
        self._workdir = pathlib.Path(workdir)
        self._settings = data, train, run
        epochs = math.ceil(run.steps / run.evaluate_every)
        super().__init__(
            sweep.oracle(train, epochs), directory=os.fspath(workdir), project_name="sweep"
        )
        if not self._is_worker():
            self.save()  # from now on there is something to go on with
        self.oracle.verbose = 0
        keras_tuner_config.DEBUG = False  # or it prints a traceback for a trial that fails

    def _get_tuner_fname(self):
        # KerasTuner names it by KERASTUNER_TUNER_ID, and so would not go on alone with what a
        # chief began.
        name = self.tuner_id if self._is_worker() else "tuner"
        return os.path.join(self.project_dir, f"{name}.json")

    def reload(self):
        """Takes up what is there, also where a kill came between the files of one change."""
        try:
            super().reload()
        except (ValueError, KeyError, RuntimeError) as error:
            raise UserError(
                f"{self.project_dir} is damaged: delete it, and trials are drawn again; their "
                "trainings are kept"
            ) from error
        if self._is_worker():
            return
        oracle = self.oracle
        for trial_id in set(oracle.trials) - set(oracle.start_order):
            del oracle.trials[trial_id]  # it will be drawn again
        oracle._retry_queue = [
            trial_id for trial_id in oracle._retry_queue if trial_id not in oracle.end_order
        ]

    def trial_workdir(self, trial_id):
        """Workdir of a trial's training."""
        return self._workdir / "trials" / trial_id

    def trial_settings(self, values):
        """(DataSettings, TrainSettings, RunSettings) of a trial's hyperparameters."""
        data, train, run = self._settings
        chosen = {name: value for name, value in values.items() if name in SWEPT}
        if "tuner/epochs" in values:  # hyperband's
            steps = min(run.steps, values["tuner/epochs"] * run.evaluate_every)
            run = dataclasses.replace(run, steps=steps)
        return data, dataclasses.replace(train, **chosen), run

    def best_settings(self, trial_id):
        """As `trial_settings`, for the full number of steps."""
        data, train, _ = self.trial_settings(self.oracle.trials[trial_id].hyperparameters.values)
        return data, train, self._settings[2]

    def run_trial(self, trial):
        """Trains; returns {"average_precision": the best of validation}."""
        values = trial.hyperparameters.values
        workdir = self.trial_workdir(trial.trial_id)
        earlier = values.get("tuner/trial_id")
        if earlier and not workdir.exists():
            # Hyperband goes on with what it trained less.
            with files.replacing(workdir) as partial:
                shutil.copytree(self.trial_workdir(earlier), partial)
        try:
            checkpoint = trainer.train(workdir, *self.trial_settings(values))
        except UserError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        finally:
            keras.backend.clear_session()  # collects garbage too
        return {_OBJECTIVE: checkpoint.progress["best"]["average_precision"]}

    def load_model(self, trial):
        """Not offered: trials are loaded as any workdir is."""
        raise NotImplementedError

    save_model = load_model

    def rows(self):
        """What is known of every trial: dicts of trial, status, steps, score and settings."""
        rows = []
        for trial in self.oracle.trials.values():
            _, train, run = self.trial_settings(trial.hyperparameters.values)
            names = [space.name for space in self.oracle.get_space().space if space.name in SWEPT]
            message = (trial.message or "").strip().splitlines()
            rows.append(
                {
                    "trial": trial.trial_id,
                    "status": trial.status.lower(),
                    "steps": run.steps,
                    _OBJECTIVE: trial.score,
                    **{name: getattr(train, name) for name in names},
                    "message": message[-1] if message else "",
                }
            )
        return sorted(rows, key=lambda row: row["trial"])


def search(workdir, sweep, data, train, run):
    """Searches, or goes on with a search, and reports.

    Where KerasTuner's variables (as KERASTUNER_TUNER_ID) make it a worker or the chief, it only
    does its part.

    Returns:
      The best trial's row, or None of a worker or chief.

    Raises:
      UserError: settings of another sweep, data that cannot be used, no trial that succeeded.
    """
    workdir = pathlib.Path(workdir)
    alone = "KERASTUNER_ORACLE_IP" not in os.environ
    with workdirs.claimed(workdir) if alone else contextlib.nullcontext():
        keep_settings(workdir, sweep, data, train, run)
        preparation.prepare(data)
        tuner = Tuner(workdir, sweep, data, train, run)
        try:
            tuner.search()
        except RuntimeError as error:  # KerasTuner's, after several failures in a row
            failed = [row["message"] for row in tuner.rows() if row["message"]]
            raise UserError(
                f"the sweep stopped, as trials kept failing: {failed[-1] if failed else error}"
            ) from error
        return finish(workdir, tuner) if alone else None


def finish(workdir, tuner):
    """Writes the tables, the picture and best.flags of a search; returns the best trial's row."""
    rows = tuner.rows()
    report.write(rows, workdir, _OBJECTIVE)
    scored = [row for row in rows if row[_OBJECTIVE] is not None]
    if not scored:
        raise UserError(f"no trial of {workdir} came to a score: see {workdir / 'trials.csv'}")
    best = max(scored, key=lambda row: row[_OBJECTIVE])
    with files.replacing(workdir / "best.flags") as partial:
        partial.write_text(flags.to_text(*tuner.best_settings(best["trial"])))
    return best


def keep_settings(workdir, sweep, data, train, run):
    """Writes down what the workdir's sweep is, or refuses another than is there.

    Raises:
      UserError: another sweep is there, or one training is to be shared by several machines.
    """
    if run.strategy == "multi_worker":
        raise UserError(
            "a sweep's machines share its trials, not steps: leave out --strategy=multi_worker"
        )
    if set("[]*?") & set(str(workdir)):
        raise UserError(
            f"--workdir={workdir} has one of []*? in it, which KerasTuner takes for a pattern: "
            "rename it"
        )
    path = workdir / _SETTINGS_FILE
    described = dataclasses.asdict(sweep)
    described.pop("max_trials")  # more may be asked for
    described = json.loads(json.dumps(described)) | {"flags": flags.to_text(data, train, run)}
    if path.exists() and files.read_json(path, "delete it") != described:
        raise UserError(f"{workdir} holds a sweep of other settings: give another --workdir")
    with files.replacing(path) as partial:
        partial.write_text(json.dumps(described, indent=1) + "\n")
