"""Start of a training run: loads its data, builds its model and restores its checkpoint."""

import dataclasses
import hashlib
import pathlib

import keras
import numpy as np

from ptn_semi.data import (
    diversity,
    framing,
    preparation,
    splits,
    supervision,
    unlabeled_images,
)
from ptn_semi.data.supervision import Supervision
from ptn_semi.models import architectures, checkpoints, pretrained
from ptn_semi.models.checkpoint_paths import holds_pretrained, local_model
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.projection import framed_views
from ptn_semi.settings import PRETRAINED, DataSettings, RunSettings, TrainSettings
from ptn_semi.utils.errors import UserError

_NUM_MEASURED = 1000  # masks measured to decide how users' images are framed


@dataclasses.dataclass(frozen=True)
class RunData:
    """The data of a run.

    Attributes:
      name: name of the prepared data set, and a digest of the masks of images.
      supervision: what the run learns from.
      validation: the validation shapes, with voxels.
      extent: how the training masks are framed; see `ModelInfo`.
      images: masks of images, float32 [M, S, S, 1], if unlabeled masks are drawn from some.
    """

    name: str
    supervision: Supervision
    validation: splits.Shapes
    extent: float
    images: np.ndarray | None


def load_data(data: DataSettings, train: TrainSettings, run: RunSettings) -> RunData:
    """Load the data of a run; build the data set first if it is missing.

    Raises:
      UserError: if the shapes or images cannot be used, or a split lacks a category.
    """
    builder = preparation.prepare(data)
    shapes = splits.load(builder, "train", max_memory=run.max_masks_gb * 1e9)
    validation = splits.load(builder, "validation", with_voxels=True)
    needed = {*shapes.categories, *validation.categories}
    splits.check_categories(builder, "train", shapes, needed)
    splits.check_categories(builder, "validation", validation, needed)
    print(f"{len(validation)} validation shapes")
    name, extent, images = builder.builder_config.name, framed_views.EXTENT, None
    if not data.framed_share:
        extent = framing.extent(shapes.unpack_masks(slice(_NUM_MEASURED), 0))
    if train.unlabeled_dir:
        images = unlabeled_images.read(train.unlabeled_dir, data.image_size, extent)
        name += f"+{hashlib.sha256(images.tobytes()).hexdigest()[:10]}"
    return RunData(name, supervision.make(shapes, data, train, images), validation, extent, images)


def build_model(
    data: DataSettings, train: TrainSettings, supervision: Supervision
) -> SemiSupervisedReconstructor:
    """Build and compile the model that the settings describe, with the authors' Adam momenta.

    If all shapes are mirrored, predictions use flip test-time augmentation. If they are also
    symmetric, so are predictions.
    """
    model = SemiSupervisedReconstructor(
        ModelSettings(
            architecture=architectures.PRESETS[train.preset],
            voxel_size=train.model_voxel_size or data.voxel_size,
            image_size=data.image_size,
            camera=data.camera,
            flip_augmentation=bool(supervision.may_mirror.all()),
            mirror_symmetric=supervision.symmetric,
            elevation_range=data.elevation_range,
            azimuth_range=data.azimuth_range,
            roll_range=data.roll_range,
            distance_range=data.distance_range,
            framed_share=data.framed_share,
        ),
        train.losses,
        freeze_encoder=train.freeze_encoder,
        ema_decay=train.ema_decay,
        warp_strength=train.warp_strength or diversity.STRONGEST,
        precision=train.precision,
        seed=train.seed,
    )
    updates = train.losses.updates
    encoder_rate, generator_rate = train.encoder_learning_rate, train.generator_learning_rate
    rate = lambda initial, network: _rate(initial, train.decay_steps * updates.get(network, 1))
    model.compile(
        encoder_optimizer=FusedAdam(rate(encoder_rate, "encoder"), 0.9, 0.999),
        generator_optimizer=FusedAdam(rate(generator_rate, "generator"), 0.5, 0.9),
        discriminator_optimizer=FusedAdam(
            rate(train.discriminator_learning_rate, "discriminator"), 0.5, 0.9
        ),
        viewpoint_optimizer=FusedAdam(rate(encoder_rate, "viewpoint_estimator"), 0.9, 0.999),
        refiner_optimizer=FusedAdam(rate(generator_rate, "refiner"), 0.9, 0.999),
    )
    return model


def _rate(
    initial: float, num_updates: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return a learning rate that falls to 0 over so many updates, or a constant one for 0."""
    if not num_updates:
        return initial
    return keras.optimizers.schedules.CosineDecay(initial, num_updates)


def restore(
    workdir: pathlib.Path, model: SemiSupervisedReconstructor, data_set: str, init_from: str
) -> checkpoints.Checkpoint | None:
    """Restore a model from the newest checkpoint of a workdir, or start it from `init_from`.

    Returns:
      The checkpoint that the run resumes from, or None for a new run.

    Raises:
      UserError: if the checkpoint is of another data set or architecture.
    """
    newest = checkpoints.latest(workdir / "checkpoints")
    if newest is not None:
        if newest.progress.data_set != data_set:
            raise UserError(
                f"the shapes in --manual_dir, or the images in --unlabeled_dir, changed since "
                f"{workdir} was trained: choose another --workdir"
            )
        check_architecture(newest.path, newest.info.settings, model.settings)
        checkpoints.restore(newest, model)
        print(f"resuming from step {newest.info.step}")
    elif init_from:
        initialize(model, init_from)
    return newest


def initialize(model: SemiSupervisedReconstructor, init_from: str) -> None:
    """Start a new run with the EMA of another run, with `PRETRAINED`, or a published model.

    `PRETRAINED` is the package's model of masks of this size, or the one of the finest.

    V and R are only taken from a model that has them, and D from a run. V learns its output layer
    anew if the viewpoints of that model have another size, and R starts anew if its voxels have.

    Raises:
      UserError: if the other model cannot be read or has another architecture.
    """
    if init_from == PRETRAINED:
        finest = max(pretrained.FOLDERS)
        folder = pretrained.FOLDERS.get(model.settings.image_size, pretrained.FOLDERS[finest])
    else:
        folder = local_model(init_from)
    checkpoint = None
    if init_from == PRETRAINED or holds_pretrained(folder):
        networks, info = pretrained.read(folder)
        name, stored = f"--init_from={init_from}", info.settings
    else:
        checkpoint = checkpoints.find(folder)
        name, stored = str(checkpoint.path), checkpoint.info.settings
    if stored.has_refiner and model.settings.has_refiner:
        stored = dataclasses.replace(stored, voxel_size=model.settings.voxel_size)
    check_architecture(name, stored, model.settings)
    if checkpoint is not None:
        networks = checkpoints.load_networks(checkpoint)
        checkpoints.restore_parts(checkpoint, {"discriminator": model.discriminator})
    model.networks.copy_weights(networks)
    model.ema.copy_weights(networks)


def check_architecture(name: object, stored: ModelSettings, asked: ModelSettings) -> None:
    """Raise a `UserError` that names a stored model if its weights do not fit another model."""
    differing = [flag for flag in _shape_flags(stored) if flag not in _shape_flags(asked)]
    if differing:
        raise UserError(f"{name} has another architecture: it needs {' '.join(differing)}")


def _shape_flags(settings: ModelSettings) -> list[str]:
    """List the flags that determine the shapes of a model's weights."""
    presets = {sizes: name for name, sizes in architectures.PRESETS.items()}
    preset = presets.get(settings.architecture, f"(unknown: {settings.architecture})")
    flags = [f"--preset={preset}", f"--image_size={settings.image_size}"]
    if settings.voxel_size == architectures.REFINED_SIZE:
        return [*flags, f"--model_voxel_size={settings.voxel_size}"]
    refine = "refine" if settings.has_refiner else "norefine"  # decides the size of G's voxels
    return [*flags, f"--voxel_size={settings.voxel_size}", f"--{refine}"]


def model_info(
    model: SemiSupervisedReconstructor, data: RunData, best: checkpoints.Best | None
) -> ModelInfo:
    """Return what is known of the model at its current step; its threshold is that of `best`."""
    shapes, num_own = data.supervision.shapes, data.supervision.num_own
    return ModelInfo(
        model.settings,
        threshold=best.threshold if best else 0.5,
        extent=data.extent,
        categories=tuple(sorted(set(shapes.categories[:num_own].tolist()))),
        step=int(model.steps.numpy()),
    )
