"""Which trainings each of the paper's experiments needs, and at which scale."""

import dataclasses
import pathlib

from ptn_semi import settings
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError

EXPERIMENTS = ("table1", "figure4", "table2", "figure5", "table3")
RECIPES = ("semi", "paper")
SINGLE = ("airplane", "car", "chair")
PRETRAINING = (*SINGLE, "display", "loudspeaker", "table", "telephone")
NOVEL = ("bench", "cabinet", "vessel")
STUDIED = "chair"  # of figure 4 and table 3
MODELS = {"P": "labeled", "U": "unlabeled", "P+U": "both"}
_HALF = 0.5  # pose share of tables 1 and 2
_FEW = 0.01  # pose share of table 3
_CONFIGS = pathlib.Path(settings.__file__).parent / "configs"


@dataclasses.dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
      title: the run in words.
      data, train, run: its settings; `train.init_from` is filled in when it starts.
      start: the run whose networks it starts from, or None.
      seconds: it is expected to take.
    """

    title: str
    data: settings.DataSettings
    train: settings.TrainSettings
    run: settings.RunSettings
    start: "Run | None"
    seconds: float

    def data_of(self, category):
        """The `DataSettings` of a category, as the matrix has it."""
        num_shapes = self.data.num_shapes // len(self.data.categories)
        return dataclasses.replace(self.data, categories=(category,), num_shapes=num_shapes)

    @property
    def needs_turn(self):
        """Whether it never saw a viewpoint, and so has a front of its own."""
        return self.train.supervision == "unlabeled"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One number of a table or figure: a run scored on the test shapes of a category.

    Attributes:
      experiment: one of `EXPERIMENTS`.
      model: row or line that it belongs to.
      category: that it is scored on.
      pose_fraction: of the training, or of the pre-training where there was one.
      run: the `Run`.
    """

    experiment: str
    model: str
    category: str
    pose_fraction: float
    run: Run

    @property
    def seed(self):
        """Of all that is drawn."""
        return self.run.train.seed


class Matrix:
    """The entries of experiments for one data set, scale and recipe.

    Args:
      data: a `DataSettings`.
      present: categories that its shapes are of; those of the experiments are limited to them.
      scale: a `Scale`.
      recipe: one of `RECIPES`.
      seeds: how many.

    Attributes:
      missing: categories of the paper's that the data set has not, sorted.

    Raises:
      UserError: the data set has none of the categories.
    """

    def __init__(self, data, present, scale, recipe, seeds):
        self._data, self._scale, self._recipe = data, scale, recipe
        self._seeds = range(seeds)
        wanted = {*SINGLE, *PRETRAINING, *NOVEL}
        self.missing = sorted(wanted - set(present))
        self._single, self._pretraining, self._novel = (
            tuple(name for name in names if name in present)
            for names in (SINGLE, PRETRAINING, NOVEL)
        )
        self._training = _recipe(scale, recipe)

    def entries(self, experiments):
        """The `Entry`s of these experiments that the data set has shapes for, in order."""
        makers = {
            "table1": self._table1,
            "figure4": self._figure4,
            "table2": self._table2,
            "figure5": self._figure5,
            "table3": self._table3,
        }
        entries = [entry for name in experiments for entry in makers[name]()]
        if not entries:
            raise UserError(
                f"none of {', '.join(experiments)} can be done: the data set lacks the categories "
                f"{', '.join(self.missing)}"
            )
        return entries

    def _table1(self):
        for category in self._single:
            for seed in self._seeds:
                run = self._single_run(category, "P+U", _HALF, seed)
                yield Entry("table1", "P+U", category, _HALF, run)

    def _figure4(self):
        if STUDIED not in self._single:
            return
        points = [("U", 0.0)]
        points += [(model, share) for model in ("P", "P+U") for share in self._scale.shares]
        for model, share in points:
            for seed in self._seeds:
                run = self._single_run(STUDIED, model, share, seed)
                yield Entry("figure4", model, STUDIED, share, run)

    def _table2(self):
        if len(self._single) < 2:
            return
        for seed in self._seeds:
            together = self._pretrained(self._single, _HALF, seed)
            for category in self._single:
                run = self._single_run(category, "P+U", _HALF, seed)
                yield Entry("table2", "per category", category, _HALF, run)
                yield Entry("table2", "category-agnostic", category, _HALF, together)

    def _figure5(self):
        if not self._pretraining:
            return
        for category in self._novel:
            for seed in self._seeds:
                scratch = self._single_run(category, "P", self._scale.few_shot, seed)
                for share in self._scale.pretraining_shares:
                    pretrained = self._pretrained(self._pretraining, share, seed)
                    tuned = self._fine_tuned(pretrained, category, self._scale.few_shot, seed)
                    for model, run in (
                        ("from scratch", scratch),
                        ("out-of-category", pretrained),
                        ("fine-tuning", tuned),
                    ):
                        yield Entry("figure5", model, category, share, run)

    def _table3(self):
        if STUDIED not in self._single:
            return
        for seed in self._seeds:
            for model in ("P", "U", "P+U"):
                run = self._single_run(STUDIED, model, 0.0 if model == "U" else _FEW, seed)
                yield Entry("table3", f"S,{model}", STUDIED, _FEW, run)
            pretrained = self._pretrained(self._pretraining, _FEW, seed)
            tuned = self._fine_tuned(pretrained, STUDIED, _FEW, seed)
            yield Entry("table3", "M", STUDIED, _FEW, pretrained)
            yield Entry("table3", "FT", STUDIED, _FEW, tuned)

    def _single_run(self, category, model, share, seed):
        changes = {}
        if model == "U" and not self._training.adversarial_weight:
            # Without labels shapes are learnt from the GAN alone.
            changes["adversarial_weight"] = 1.0
        train = dataclasses.replace(
            self._training, supervision=MODELS[model], pose_fraction=share, seed=seed, **changes
        )
        posed = "" if model == "U" else f" {percent(share)} posed"
        title = f"{category} {model}{posed} seed {seed}"
        return self._run(title, (category,), train, self._scale.single_steps)

    def _pretrained(self, categories, share, seed):
        """One model of several categories; it is not told which one a mask is of."""
        train = dataclasses.replace(
            self._training,
            supervision="both",
            pose_fraction=share,
            seed=seed,
            batch_size=self._scale.pretraining_batch,
        )
        title = f"{len(categories)} categories P+U {percent(share)} posed seed {seed}"
        return self._run(title, categories, train, self._scale.pretraining_steps[share])

    def _fine_tuned(self, start, category, share, seed):
        train = dataclasses.replace(
            self._training,
            supervision="labeled",
            pose_fraction=share,
            seed=seed,
            freeze_encoder=True,
        )
        title = f"{category} {percent(share)} posed, fine-tuned from {start.title}"
        return self._run(title, (category,), train, self._scale.fine_tuning_steps, start)

    def _run(self, title, categories, train, steps, start=None):
        run = settings.RunSettings(steps=steps, evaluate_every=self._scale.evaluate_every)
        seconds = 30 + steps * self._scale.seconds[train.supervision]
        data = of_categories(self._data, categories)
        return Run(title, data, train, run, start, seconds)


def of_categories(data, categories):
    """`data` with these categories alone: `num_shapes` procedural shapes, if any, of each."""
    num_shapes = data.num_shapes * len(categories)
    return dataclasses.replace(data, categories=tuple(sorted(categories)), num_shapes=num_shapes)


def percent(share):
    """A share in words, as 1 %."""
    return f"{100 * share:g} %"


def _recipe(scale, recipe):
    """The `TrainSettings` of a recipe at a scale."""
    train, _ = flags.read(
        _CONFIGS / f"{recipe}.flags", settings.TrainSettings, settings.RunSettings
    )
    train = dataclasses.replace(train, preset=scale.preset, precision=scale.precision)
    if recipe == "paper" and scale.preset == "small":
        # At the authors' settings small networks learn nothing in hundreds of steps.
        train = dataclasses.replace(
            train, generator_learning_rate=1e-3, latent_invariance_weight=0.1
        )
    return train
