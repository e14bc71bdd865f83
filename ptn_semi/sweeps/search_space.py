"""The search space of a sweep, and KerasTuner's choice of trials in it."""

import dataclasses

import keras_tuner

from ptn_semi.settings import TrainSettings
from ptn_semi.utils.errors import UserError

OBJECTIVE = "average_precision"  # the score on the validation split that is maximised
_GAN_SETTINGS = ("gradient_penalty_weight", "discriminator_learning_rate")


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A search for the best settings.

    Each setting is drawn log-uniformly between its value in the flags divided by the spread and
    that value multiplied by it.
    """

    names: tuple[str, ...]  # the settings to search, each one of `settings.SWEPT`
    spread: float
    tuner: str  # one of `settings.TUNERS`
    max_trials: int
    seed: int

    def space(self, train: TrainSettings) -> keras_tuner.HyperParameters:
        """Build the search space around the values of some settings.

        A weight of 0 switches its loss off and stays 0. Without the GAN, its other settings are not
        searched either.

        Raises:
          UserError: if nothing is left to search.
        """
        space = keras_tuner.HyperParameters()
        for name in self.names:
            middle = getattr(train, name)
            if not middle or (name in _GAN_SETTINGS and not train.adversarial_weight):
                continue
            low, high = middle / self.spread, middle * self.spread
            space.Float(name, low, high, sampling="log", default=middle)
        if not space.space:
            raise UserError(
                f"nothing to sweep: {', '.join(self.names)} have no effect with these flags"
            )
        return space

    def oracle(self, train: TrainSettings, max_epochs: int) -> keras_tuner.Oracle:
        """Build the part of KerasTuner that chooses trials around some settings.

        A full training has `max_epochs` epochs, each of which ends with a validation.

        Raises:
          UserError: if nothing is left to search.
        """
        common = {
            "objective": keras_tuner.Objective(OBJECTIVE, "max"),
            "seed": self.seed + 1,  # KerasTuner takes 0 for no seed and draws one
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
