"""One training run: data, model, loop, checkpoints and what is watched, in a workdir.

A workdir holds
  settings.flags   the resolved flags, a flagfile that `ptn_semi.train` takes
  checkpoints/     see `ptn_semi.models.checkpoints`
  tensorboard/     losses, validation scores, pictures, shapes
  reconstructions.png   validation shapes as the newest checkpoint sees them
"""

import contextlib
import dataclasses
import os
import pathlib
import time

import numpy as np
import tensorflow as tf
import tqdm

from ptn_semi import settings
from ptn_semi.data import batches, preparation
from ptn_semi.evaluation import scoring
from ptn_semi.inference import silhouettes
from ptn_semi.models import architectures, checkpoints, networks
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import visual_hull
from ptn_semi.training import distribution, workdirs
from ptn_semi.training.tensorboard import Summaries
from ptn_semi.utils import errors
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import pictures

_NUM_PICTURES = 6
_NUM_FRAMED = 1000  # masks whose frame users' images are given


def build_model(data, train):
    """The model that the settings describe, not compiled."""
    return SemiSupervisedReconstructor(
        architecture=architectures.PRESETS[train.preset],
        voxel_size=data.voxel_size,
        image_size=data.image_size,
        camera=data.camera,
        loss_settings=train.losses,
        freeze_encoder=train.freeze_encoder,
        average_decay=train.average_decay,
        elevation_range=data.elevation_range,
        azimuth_range=data.azimuth_range,
        precision=train.precision,
        seed=train.seed,
    )


def compile_model(model, train):
    """Gives the model its Adam optimizers, with the authors' momenta."""
    model.compile(
        encoder_optimizer=FusedAdam(train.encoder_learning_rate, 0.9, 0.999),
        generator_optimizer=FusedAdam(train.generator_learning_rate, 0.5, 0.9),
        discriminator_optimizer=FusedAdam(train.discriminator_learning_rate, 0.5, 0.9),
        viewpoint_optimizer=FusedAdam(train.encoder_learning_rate, 0.9, 0.999),
    )


def train(workdir, data, train, run):
    """Trains in a workdir, or goes on with what is there, to the same bits.

    Args:
      workdir: folder of the run.
      data: a `DataSettings`.
      train: a `TrainSettings`.
      run: a `RunSettings`.

    Returns:
      The newest `Checkpoint`; None of one of several processes that is not their chief, which alone
      writes into the workdir.

    Raises:
      UserError: settings that differ from the workdir's, data that cannot be used, losses that are
        not finite, a full disk, other processes of the run that are gone.
    """
    workdir = pathlib.Path(workdir)
    settings.check(data, train, run)
    fastest = networks.fastest_precision()
    if train.precision == settings.AUTO:
        train = dataclasses.replace(train, precision=fastest)
        print(f"precision: {train.precision}")
    elif train.precision != fastest == "float32":
        print(
            f"note: this machine does not multiply in {train.precision} itself: steps are slower "
            "than in float32, on CPUs without AVX-512 some 50 times; --precision=auto chooses"
        )
    is_chief = distribution.is_chief(distribution.create(run.strategy))
    tf.config.experimental.enable_op_determinism()
    with workdirs.claimed(workdir) if is_chief else contextlib.nullcontext():
        workdirs.check_settings(workdir, data, train)
        started = _Run(workdir, data, train, run)
        if is_chief:
            workdirs.write_settings(workdir, data, train, run)
        return started.train()


class _Run:
    """State of a training run."""

    def __init__(self, workdir, data, train, run):
        strategy = distribution.create(run.strategy)
        self.workdir, self.run, self.strategy = workdir, run, strategy
        self.is_chief = distribution.is_chief(strategy)
        distribution.check_batch_size(
            strategy, batch_size=train.batch_size, labeled_batch_size=train.labeled_batch_size
        )
        self.folder = workdir / "checkpoints"
        builder = preparation.prepare(data)
        self.data_set = builder.builder_config.name
        self.shapes = preparation.load(builder, "train", max_memory=run.max_masks_gb * 1e9)
        self.validation = preparation.load(builder, "validation", with_voxels=True)
        preparation.check_categories(builder, {"train": self.shapes, "validation": self.validation})
        some = np.arange(min(_NUM_FRAMED, len(self.shapes)))
        self.extent = silhouettes.extent(self.shapes.unpack_masks(some, 0))
        self.labeled = batches.labeled_subset(
            self.shapes.model_ids, train.pose_fraction, train.seed
        )
        self.batch_args = {
            "labeled": self.labeled,
            "labeled_views": train.labeled_views,
            "batch_size": train.batch_size,
            "labeled_batch_size": train.labeled_batch_size,
            "seed": train.seed,
            "mirror_views": train.mirror_views,
        }
        with strategy.scope():
            self.model = build_model(data, train)
            compile_model(self.model, train)
        self.best, self.minutes = None, 0.0
        self.kept = []
        self.newest = newest = checkpoints.latest(self.folder)
        if newest is not None:
            if newest.progress["data_set"] != self.data_set:
                raise UserError(
                    f"the shapes in --manual_dir={data.manual_dir} changed since {workdir} was "
                    "trained: choose another --workdir"
                )
            checkpoints.restore(newest, self.model)
            self.best, self.minutes = newest.progress["best"], newest.progress["minutes"]
            self.kept = [self.best["step"]] if self.best else []
            print(f"continuing from step {newest.step}")
        elif train.init_from:
            checkpoints.start_from(checkpoints.find(train.init_from), self.model)
        self.step = int(self.model.steps.numpy())
        distribution.check_equal(
            strategy, self.step, "the processes find other checkpoints, as --workdir is not on a "
            "disk that they share; they are at steps",
        )  # fmt: skip
        self.predictor = scoring.Predictor(self.model)
        pays = bool(tf.config.list_physical_devices("GPU")) and run.strategy == "single"
        self.train_step = distribution.compile_step(
            strategy,
            self.model,
            jit_compile=pays if run.jit_compile == settings.AUTO else run.jit_compile == "on",
        )
        print(
            f"{len(self.shapes)} training shapes, {len(self.labeled)} of them with viewpoints; "
            f"{len(self.validation)} validation shapes"
        )

    def train(self):
        if self._finished():
            print(
                f"{self.workdir} is finished at step {self.step}; --steps or --max_minutes ended it"
            )
            return self.newest
        if self.model.loss_settings.uses_hulls:
            self.batch_args["hulls"] = visual_hull.packed_hulls(
                self.shapes,
                self.labeled,
                self.batch_args["labeled_views"],
                self.model.projector,
                progress=True,
            )
        data = iter(batches.batch_dataset(self.shapes, **self.batch_args, start=self.step))
        started, before = time.monotonic(), self.minutes
        with self._reports() as (summaries, bar):
            try:
                while not self._finished():
                    losses = self._take_step(next(data))
                    self.step += 1
                    self.minutes = before + (time.monotonic() - started) / 60
                    if not self.is_chief:
                        continue
                    bar.update()
                    bar.total = self._expected_steps(bar.format_dict["rate"])
                    bar.set_postfix(_short(losses, self.best), refresh=False)
                    summaries.scalars(self.step, losses)
                    if self.step % self.run.evaluate_every == 0 or self._finished():
                        self._evaluate(summaries)
                        self._save()
            except KeyboardInterrupt:
                if self.is_chief:
                    summaries.flush()
                    self._save()
                    tqdm.tqdm.write(
                        f"stopped at step {self.step}; the same command goes on from there"
                    )
                raise
        return self.newest if self.is_chief else None

    @contextlib.contextmanager
    def _reports(self):
        """(Summaries, bar) of the chief, (None, None) of the other processes of a run."""
        if not self.is_chief:
            print("this process takes its share of the steps; the chief reports")
            yield None, None
            return
        logdir = os.fspath(self.workdir / "tensorboard")
        bar = tqdm.tqdm(
            total=self.run.steps, initial=self.step, desc="training", unit=" steps", smoothing=0.05
        )
        with contextlib.closing(Summaries(logdir, self.step or None)) as summaries, bar:
            yield summaries, bar

    def _take_step(self, batch):
        """Trains on a batch; returns the losses by name."""
        try:
            losses = {name: float(loss) for name, loss in self.train_step(batch).items()}
        except tf.errors.OpError as error:
            if not distribution.lost_peer(self.strategy, error):
                raise
            raise UserError(
                f"another process of the run was lost at step {self.step + 1} "
                f"({errors.first_line(error)}): give the same command again on each machine; "
                f"{self._last_good()}"
            ) from error
        self._check_finite(losses)
        return losses

    def _finished(self):
        out_of_time = self.run.max_minutes and self.minutes >= self.run.max_minutes
        return self.step >= self.run.steps or bool(out_of_time)

    def _expected_steps(self, rate):
        """Where the run will end, for the bar's time left; `rate` in steps a second, if known."""
        if not self.run.max_minutes or not rate:
            return self.run.steps
        seconds_left = 60 * (self.run.max_minutes - self.minutes)
        return min(self.run.steps, self.step + max(0, round(rate * seconds_left)))

    def _check_finite(self, losses):
        for name, value in losses.items():
            if not np.isfinite(value):
                raise UserError(
                    f"{name} became {value} at step {self.step + 1}: lower the learning rates or "
                    f"its weight; {self._last_good()}"
                )

    def _last_good(self):
        newest = checkpoints.latest(self.folder)
        return f"{newest.path} is the last good checkpoint" if newest else "no checkpoint was kept"

    def _evaluate(self, summaries):
        views = self.run.validation_views
        rows = scoring.score_model(self.predictor, self.validation, views)
        mean = rows["mean"]
        if self.best is None or mean["average_precision"] > self.best["average_precision"]:
            self.best = {
                "step": self.step,
                "average_precision": mean["average_precision"],
                "threshold": mean["best_threshold"],
            }
        shown = ("average_precision", "max_iou_of_mean", "max_iou_per_shape", "iou_0.4", "iou_0.5")
        summaries.scalars(self.step, {f"validation/{name}": mean[name] for name in shown})
        tqdm.tqdm.write(
            f"step {self.step}: validation AP {mean['average_precision']:.4f}, "
            f"MaxIoU {mean['max_iou_of_mean']:.4f}"
        )
        self._show(summaries, mean["best_threshold"])

    def _show(self, summaries, threshold):
        """Pictures of a few validation shapes, the same ones every time."""
        count = min(_NUM_PICTURES, len(self.validation))
        index = np.linspace(0, len(self.validation) - 1, count).astype(int)
        masks = self.validation.unpack_masks(index, 0)
        voxels = self.predictor(masks)
        other_masks = self.validation.unpack_masks(index, 1)
        other = self.model.projector([voxels, self.validation.viewpoints[index, 1]]).numpy()
        rows = [
            [pictures.mask_picture(mask) for mask in row]
            for row in zip(masks, other, other_masks, strict=True)
        ]
        titles = ["input mask", "predicted, other view", "true, other view"]
        summaries.image(self.step, "masks", pictures.grid(rows, titles))
        sheet = pictures.reconstruction_sheet(
            masks, voxels, self.validation.unpack_voxels(index), threshold
        )
        summaries.image(self.step, "reconstructions", sheet)
        summaries.mesh(self.step, "predicted_voxels", list(voxels > threshold))
        summaries.flush()
        pictures.save_png(self.workdir / "reconstructions.png", sheet)

    def _save(self):
        bad = checkpoints.non_finite_weight(self.model)
        if bad:
            raise UserError(
                f"the weight {bad} became infinite or NaN by step {self.step}: lower the learning "
                f"rates; {self._last_good()}"
            )
        progress = {
            "best": self.best, "minutes": self.minutes, "data_set": self.data_set,
            "extent": self.extent, "categories": sorted(set(self.shapes.categories.tolist())),
        }  # fmt: skip
        best = [self.best["step"]] if self.best else []
        # The one before's best too: should the newest be damaged, it is needed.
        keep = {*best, *self.kept}
        self.newest = checkpoints.save(self.folder, self.model, progress, keep)
        self.kept = best


def _short(losses, best):
    """Losses for the bar; initials as rec, lat, vox, occ, vie, sel, gen, dis, gra."""
    words = {
        name[:3]: f"{value:.3f}"
        for name, value in losses.items()
        if name != "discriminator_accuracy"
    }
    return words | ({"best AP": f"{best['average_precision']:.3f}"} if best else {})
