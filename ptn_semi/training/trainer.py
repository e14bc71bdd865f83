"""Training loop of a run, with validation, checkpoints and logging in a workdir.

A workdir holds
  settings.flags   the resolved flags, a flagfile for `ptn_semi.train`
  checkpoints/     see `ptn_semi.models.checkpoints`
  tensorboard/     losses, validation scores, pictures and shapes
  reconstructions.png   validation shapes as the newest checkpoint reconstructs them
  unlabeled.png    some of the masks from --unlabeled_dir
"""

import contextlib
import dataclasses
import os
import pathlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tqdm

from ptn_semi import settings
from ptn_semi.data import batches, unlabeled_images
from ptn_semi.evaluation import scoring, written_scores
from ptn_semi.models import checkpoints
from ptn_semi.settings import DataSettings, RunSettings, TrainSettings
from ptn_semi.training import devices, distribution, start, workdirs
from ptn_semi.training.pictures import validation_pictures
from ptn_semi.training.precision import choose_precision
from ptn_semi.training.tensorboard import Summaries
from ptn_semi.utils import errors, interrupts
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets

_NUM_WRITTEN = 32  # examples of the validation split that are scored as they are written


def train(
    workdir: str | os.PathLike, data: DataSettings, train: TrainSettings, run: RunSettings
) -> checkpoints.Checkpoint | None:
    """Train in a workdir; resume bit-identically from what is there.

    Returns:
      The newest checkpoint. If several processes train, only the chief writes into the workdir; the
      others return None.

    Raises:
      UserError: if settings differ from the workdir's, data cannot be used, a loss is not finite,
        the disk is full, or another process of the run is gone.
    """
    workdir = pathlib.Path(workdir)
    train = dataclasses.replace(train, precision=choose_precision(train.precision))
    strategy = distribution.create(run.strategy)
    is_chief = distribution.is_chief(strategy)
    print(*devices.describe(run.strategy, strategy.num_replicas_in_sync), sep="\n")
    tf.config.experimental.enable_op_determinism()
    with workdirs.claimed(workdir) if is_chief else contextlib.nullcontext():
        workdirs.check_settings(workdir, data, train)
        trainer = Trainer(workdir, data, train, run)
        if is_chief:
            workdirs.write_settings(workdir, data, train, run)
            if trainer.data.images is not None:
                drawn = unlabeled_images.draw(trainer.data.images)
                sheets.save_png(workdir / "unlabeled.png", drawn)
        return trainer.train()


class Trainer:
    """Trains a model step by step; validates, logs and saves it at intervals.

    Loads the data of the run, builds its model and restores its newest checkpoint, if any.
    """

    def __init__(
        self, workdir: pathlib.Path, data: DataSettings, train: TrainSettings, run: RunSettings
    ):
        self.workdir, self.train_settings, self.run = workdir, train, run
        self.strategy = distribution.create(run.strategy)
        self.is_chief = distribution.is_chief(self.strategy)
        distribution.check_batch_size(
            self.strategy, batch_size=train.batch_size, labeled_batch_size=train.labeled_batch_size
        )
        self.data = start.load_data(data, train, run)
        with self.strategy.scope():
            self.model = start.build_model(data, train, self.data.supervision)
        self.newest = start.restore(workdir, self.model, self.data.name, train.init_from)
        self.step = int(self.model.steps.numpy())
        distribution.check_equal(
            self.strategy,
            self.step,
            "the processes resume from different checkpoints: put --workdir on a disk that they "
            "share; they are at steps",
        )
        progress = self.newest.progress if self.newest else checkpoints.Progress(self.data.name)
        self.best, self.minutes = progress.best, progress.minutes
        self.kept = {self.best.step} if self.best else set()
        pays = bool(tf.config.list_physical_devices("GPU")) and run.strategy == "single"
        self.train_step = distribution.compile_step(
            self.strategy,
            self.model,
            jit_compile=pays if run.jit_compile == settings.AUTO else run.jit_compile == "on",
        )

    def train(self) -> checkpoints.Checkpoint | None:
        """Train to the last step; return and raise as the function `train`."""
        if self._finished():
            print(
                f"{self.workdir} is finished at step {self.step}: --steps or --max_minutes ended it"
            )
            return self.newest
        train = self.train_settings
        data = iter(
            batches.batch_dataset(
                self.data.supervision,
                train.batch_size,
                train.seed,
                labeled_batch_size=train.labeled_batch_size,
                start=self.step,
            )
        )
        started, before = time.monotonic(), self.minutes
        with self._reports() as (summaries, bar):
            try:
                while not self._finished():
                    losses = self._take_step(next(data))
                    self.step += 1
                    self.minutes = before + (time.monotonic() - started) / 60
                    if not self.is_chief:
                        continue
                    if bar.n == bar.initial:
                        tqdm.tqdm.write(_legend(losses))
                    bar.update()
                    bar.total = self._expected_steps(bar.format_dict["rate"])
                    bar.set_postfix(_short(losses, self.best), refresh=False)
                    summaries.scalars(self.step, losses)
                    if self.step % self.run.evaluate_every == 0 or self._finished():
                        self._evaluate(summaries)
                        self._save()
            except KeyboardInterrupt:
                if self.is_chief:
                    with interrupts.ignored():
                        # The interrupt may have come between a step and the count of it.
                        self.step = int(self.model.steps.numpy())
                        self._save()
                        summaries.flush()
                        tqdm.tqdm.write(
                            f"stopped at step {self.step}: run the same command again to resume"
                        )
                raise
        return self.newest if self.is_chief else None

    @contextlib.contextmanager
    def _reports(self) -> Iterator[tuple[Any, Any]]:
        """Yield (Summaries, progress bar) in the chief and (None, None) in other processes."""
        if not self.is_chief:
            print("this process computes its share of every step; only the chief reports progress")
            yield None, None
            return
        logdir = os.fspath(self.workdir / "tensorboard")
        bar = tqdm.tqdm(
            total=self.run.steps, initial=self.step, desc="training", unit=" steps", smoothing=0.05
        )
        with contextlib.closing(Summaries(logdir, self.step or None)) as summaries, bar:
            yield summaries, bar

    def _take_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, float]:
        """Train on a batch and return the losses by name."""
        try:
            losses = {name: float(loss) for name, loss in self.train_step(batch).items()}
        except tf.errors.OpError as error:
            if not distribution.lost_peer(self.strategy, error):
                raise
            raise UserError(
                f"another process of the run was lost at step {self.step + 1} "
                f"({errors.first_line(error)}): run the same command again on each machine; "
                f"{self._last_good()}"
            ) from error
        for name, value in losses.items():
            if not np.isfinite(value):
                raise UserError(
                    f"{name} became {value} at step {self.step + 1}: lower the learning rates or "
                    f"its weight; {self._last_good()}"
                )
        return losses

    def _finished(self) -> bool:
        out_of_time = self.run.max_minutes and self.minutes >= self.run.max_minutes
        return self.step >= self.run.steps or bool(out_of_time)

    def _expected_steps(self, rate: float | None) -> int:
        """Estimate the last step, for the bar's time left, from steps per second if known."""
        if not self.run.max_minutes or not rate:
            return self.run.steps
        seconds_left = 60 * (self.run.max_minutes - self.minutes)
        return min(self.run.steps, self.step + max(0, round(rate * seconds_left)))

    def _last_good(self) -> str:
        newest = checkpoints.latest(self.workdir / "checkpoints")
        return f"{newest.path} is the last good checkpoint" if newest else "no checkpoint was kept"

    def _evaluate(self, summaries: Summaries) -> None:
        views = self.run.validation_views
        rows = scoring.score_networks(self.model.ema, self.data.validation, views)
        mean = rows["mean"]
        if self.best is None or mean["average_precision"] > self.best.average_precision:
            self.best = checkpoints.Best(
                self.step, mean["average_precision"], mean["best_threshold"]
            )
        shown = ("average_precision", "max_iou_of_mean", "max_iou_per_shape", "iou_0.4", "iou_0.5")
        written = written_scores.score_written(
            self.model.ema, self.data.validation, mean["best_threshold"], _NUM_WRITTEN
        )["mean"]
        values = {name: mean[name] for name in shown} | written
        summaries.scalars(self.step, {f"validation/{name}": values[name] for name in values})
        tqdm.tqdm.write(
            f"step {self.step}: validation AP {mean['average_precision']:.4f}, "
            f"MaxIoU {mean['max_iou_of_mean']:.4f}; shapes as written: IoU "
            f"{written['written_iou']:.3f}, F1 {written['written_f1']:.3f}"
        )
        masks, reconstructions, occupied = validation_pictures(
            self.model.ema, self.data.validation, mean["best_threshold"]
        )
        summaries.image(self.step, "masks", masks)
        summaries.image(self.step, "reconstructions", reconstructions)
        summaries.mesh(self.step, "predicted_voxels", list(occupied))
        summaries.flush()
        sheets.save_png(self.workdir / "reconstructions.png", reconstructions)

    def _save(self) -> None:
        bad = checkpoints.non_finite_weight(self.model)
        if bad:
            raise UserError(
                f"the weight {bad} became infinite or NaN by step {self.step}: lower the learning "
                f"rates; {self._last_good()}"
            )
        best = {self.best.step} if self.best else set()
        self.newest = checkpoints.save(
            self.workdir / "checkpoints",
            self.model,
            start.model_info(self.model, self.data, self.best),
            checkpoints.Progress(self.data.name, self.minutes, self.best),
            # The previous best is kept too. It is needed if the newest checkpoint is damaged.
            keep=best | self.kept,
        )
        self.kept = best


def _shown(losses: Mapping[str, float]) -> list[str]:
    """List the losses that the progress bar shows, by the first three letters of each."""
    return [name for name in losses if name != "discriminator_accuracy"]


def _legend(losses: Mapping[str, float]) -> str:
    """Say which losses the bar shows."""
    return "losses in the bar: " + ", ".join(f"{name[:3]} = {name}" for name in _shown(losses))


def _short(losses: Mapping[str, float], best: checkpoints.Best | None) -> dict[str, str]:
    """Return what the bar shows."""
    words = {name[:3]: f"{losses[name]:.3f}" for name in _shown(losses)}
    return words | ({"best AP": f"{best.average_precision:.3f}"} if best else {})
