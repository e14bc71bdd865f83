"""The matrix of experiments: the trainings that the paper's tables and figures need."""

import dataclasses
import pathlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ptn_semi import settings
from ptn_semi.experiments.scales import Scale
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError

EXPERIMENTS = ("table1", "figure4", "table2", "figure5", "table3")
RECIPES = ("semi", "paper")
SINGLE = ("airplane", "car", "chair")
PRETRAINING = (*SINGLE, "display", "loudspeaker", "table", "telephone")
NOVEL = ("bench", "cabinet", "vessel")
STUDIED = "chair"  # the category of figure 4 and table 3
PROCEDURAL = "U+procedural"  # unlabeled masks, and procedural shapes in place of labels
OUT_OF_CATEGORY = "out-of-category"  # a model that has seen no label of the category
MODELS = {"P": "labeled", "U": "unlabeled", "P+U": "both", PROCEDURAL: "both"}
_HALF = 0.5  # pose fraction of tables 1 and 2
_FEW_SHOT = 0.01  # pose fraction of table 3
_CONFIGS = pathlib.Path(settings.__file__).parent / "configs"


@dataclasses.dataclass(frozen=True)
class PlannedTraining:
    """One training."""

    title: str
    data: settings.DataSettings
    train: settings.TrainSettings  # `init_from` is filled in when the run starts
    schedule: settings.RunSettings  # steps and validations
    start: "PlannedTraining | None"  # whose networks this one starts from
    seconds: float  # that it is expected to take

    def data_of(self, category: str) -> settings.DataSettings:
        """Return the data settings of one category alone, which may be new to the run."""
        num_shapes = self.data.num_shapes // len(self.data.categories)
        return dataclasses.replace(self.data, categories=(category,), num_shapes=num_shapes)

    @property
    def needs_turn(self) -> bool:
        """Whether the run trains without viewpoints; its shapes then share an arbitrary front."""
        return self.train.supervision == "unlabeled"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One number of a table or figure: a run scored on the test shapes of a category."""

    experiment: str  # the table or figure, one of `EXPERIMENTS`
    model: str  # the row or line that the number belongs to
    category: str
    pose_fraction: float  # of the training, or of the pre-training if there is one
    training: PlannedTraining

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.training.train.seed


# Model, category, pose fraction and training of an entry.
_Point = tuple[str, str, float, PlannedTraining]


class Matrix:
    """The entries of experiments for one data set, scale, recipe (of `RECIPES`) and some seeds.

    Experiments are limited to the categories that are present; `missing` are the paper's others.
    `data.num_shapes` counts the procedural shapes of each category.
    """

    def __init__(
        self,
        data: settings.DataSettings,
        present: Collection[str],
        scale: Scale,
        recipe: str,
        seeds: int,
    ):
        self._data, self._scale, self._seeds = data, scale, seeds
        self.missing = sorted({*PRETRAINING, *NOVEL} - set(present))
        self._single, self._pretraining, self._novel = (
            tuple(name for name in names if name in present)
            for names in (SINGLE, PRETRAINING, NOVEL)
        )
        self._training = _recipe(scale, recipe)
        # Only our recipe, which needs no GAN, learns from procedural shapes and fine-tunes with
        # unlabeled masks.
        ours = recipe == "semi"
        self._without_labels = ("U", PROCEDURAL) if ours else ("U",)
        self._tuned = ("P", "P+U") if ours else ("P",)

    def entries(self, experiments: Sequence[str]) -> list[Entry]:
        """List the entries of some of `EXPERIMENTS` that the data set has shapes for.

        Raises:
          UserError: if there are none.
        """
        entries = [
            Entry(name, *point)
            for name in experiments
            for seed in range(self._seeds)
            for point in getattr(self, f"_{name}")(seed)  # such as `_table1`
        ]
        if not entries:
            raise UserError(
                f"none of {', '.join(experiments)} can be run: the data set lacks the categories "
                f"{', '.join(self.missing)}"
            )
        return entries

    def _table1(self, seed: int) -> Iterator[_Point]:
        for category in self._single:
            yield "P+U", category, _HALF, self._single_run(category, "P+U", _HALF, seed)

    def _figure4(self, seed: int) -> Iterator[_Point]:
        if STUDIED not in self._single:
            return
        lines = [(model, 0.0) for model in self._without_labels]
        lines += [(model, share) for model in ("P", "P+U") for share in self._scale.shares]
        for model, share in lines:
            yield model, STUDIED, share, self._single_run(STUDIED, model, share, seed)

    def _table2(self, seed: int) -> Iterator[_Point]:
        if len(self._single) < 2:
            return
        together = self._pretrained(self._single, _HALF, seed)
        for category in self._single:
            run = self._single_run(category, "P+U", _HALF, seed)
            yield "per category", category, _HALF, run
            yield "category-agnostic", category, _HALF, together

    def _figure5(self, seed: int) -> Iterator[_Point]:
        if not self._pretraining:
            return
        few_shot = self._scale.few_shot
        for category in self._novel:
            for share in self._scale.shares:
                for model in self._tuned:
                    run = self._single_run(category, model, few_shot, seed)
                    yield f"from scratch, {model}", category, share, run
                pretrained = self._pretrained(self._pretraining, share, seed)
                yield OUT_OF_CATEGORY, category, share, pretrained
                for model in self._tuned:
                    run = self._fine_tuned(pretrained, category, model, few_shot, seed)
                    yield f"fine-tuning, {model}", category, share, run

    def _table3(self, seed: int) -> Iterator[_Point]:
        if STUDIED not in self._single:
            return
        for model in ("P", *self._without_labels, "P+U"):
            share = 0.0 if model in self._without_labels else _FEW_SHOT
            run = self._single_run(STUDIED, model, share, seed)
            yield f"S,{model}", STUDIED, _FEW_SHOT, run
        pretrained = self._pretrained(self._pretraining, _FEW_SHOT, seed)
        yield "M", STUDIED, _FEW_SHOT, pretrained
        for model in self._tuned:
            run = self._fine_tuned(pretrained, STUDIED, model, _FEW_SHOT, seed)
            yield f"FT,{model}", STUDIED, _FEW_SHOT, run

    def _single_run(self, category: str, model: str, share: float, seed: int) -> PlannedTraining:
        """Return a training on one category."""
        changes: dict[str, Any] = {"supervision": MODELS[model], "pose_fraction": share}
        if model == "U" and not self._training.adversarial_weight:
            # Without labels, only the GAN teaches shapes.
            changes["adversarial_weight"] = 1.0
        if model == PROCEDURAL:
            changes["procedural_shapes"] = self._scale.procedural_shapes
        labeled = "" if model in self._without_labels else f" {percent(share)} labeled"
        title = f"{category} {model}{labeled} seed {seed}"
        return self._run(title, (category,), self._scale.single_steps, seed=seed, **changes)

    def _pretrained(self, categories: tuple[str, ...], share: float, seed: int) -> PlannedTraining:
        """Return a training on several categories; the model is not told a mask's category."""
        return self._run(
            f"{len(categories)} categories P+U {percent(share)} labeled seed {seed}",
            categories,
            self._scale.pretraining_steps[share],
            supervision="both",
            pose_fraction=share,
            seed=seed,
            batch_size=self._scale.pretraining_batch,
        )

    def _fine_tuned(
        self, start: PlannedTraining, category: str, model: str, share: float, seed: int
    ) -> PlannedTraining:
        """Return a training that fine-tunes another run on one category.

        P is the paper's: G alone, on the labeled shapes, for a few steps. P+U is ours: all
        networks, on unlabeled masks too, for as long as a training from scratch.
        """
        generator_alone = model == "P"
        return self._run(
            f"{category} {model} {percent(share)} labeled, fine-tuned from {start.title}",
            (category,),
            self._scale.fine_tuning_steps if generator_alone else self._scale.single_steps,
            start,
            supervision=MODELS[model],
            pose_fraction=share,
            seed=seed,
            freeze_encoder=generator_alone,
        )

    def _run(
        self,
        title: str,
        categories: tuple[str, ...],
        steps: int,
        start: PlannedTraining | None = None,
        **changes: Any,
    ) -> PlannedTraining:
        """Return a training whose settings are the recipe's with some changes."""
        train = dataclasses.replace(self._training, **changes)
        run = settings.RunSettings(steps=steps, evaluate_every=self._scale.evaluate_every)
        seconds = 30 + steps * self._scale.seconds[train.supervision]
        # `num_shapes` counts the procedural shapes of each category here, and of all in a data set.
        data = dataclasses.replace(
            self._data,
            categories=tuple(sorted(categories)),
            num_shapes=self._data.num_shapes * len(categories),
        )
        return PlannedTraining(title, data, train, run, start, seconds)


def percent(share: float) -> str:
    """Format a share as a percentage, such as 1 %."""
    return f"{100 * share:g} %"


def _recipe(scale: Scale, recipe: str) -> settings.TrainSettings:
    """Read the training settings of a recipe, at a scale."""
    path = _CONFIGS / f"{recipe}.flags"
    train, _ = flags.read(path, settings.TrainSettings, settings.RunSettings)
    changes: dict[str, Any] = {}
    if recipe == "paper" and scale.preset == "small":
        # With the authors' values, small networks learn nothing in hundreds of steps.
        changes = {"generator_learning_rate": 1e-3, "latent_invariance_weight": 0.1}
    return dataclasses.replace(train, preset=scale.preset, precision=scale.precision, **changes)
