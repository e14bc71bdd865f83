"""What a training run starts from: its shapes, its model, and the checkpoint that it resumes."""

import dataclasses

import numpy as np

from ptn_semi.data import batches, framing, preparation, splits
from ptn_semi.models import architectures, checkpoints
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.utils.errors import UserError

_NUM_FRAMED = 1000  # masks that the frame of users' images is taken from


@dataclasses.dataclass(frozen=True)
class LoadedData:
    """The shapes of a run.

    Attributes:
      name: of the prepared data set.
      shapes, validation: `splits.Shapes` of the two splits, the second with voxels.
      labeled: int [L], indices of the training shapes whose viewpoints are used.
      extent: how long objects are in the training masks, as a share of the mask's side.
    """

    name: str
    shapes: splits.Shapes
    validation: splits.Shapes
    labeled: np.ndarray
    extent: float


def load_data(data, train, run):
    """Loads the `LoadedData` of a run; builds the data set first where it is missing.

    Args:
      data: a `DataSettings`.
      train: a `TrainSettings`.
      run: a `RunSettings`.

    Raises:
      UserError: the shapes cannot be used, or a split lacks some category.
    """
    builder = preparation.prepare(data)
    shapes = splits.load(builder, "train", max_memory=run.max_masks_gb * 1e9)
    validation = splits.load(builder, "validation", with_voxels=True)
    splits.check_categories(builder, {"train": shapes, "validation": validation})
    labeled = batches.labeled_subset(shapes.model_ids, train.pose_fraction, train.seed)
    print(
        f"{len(shapes)} training shapes, {len(labeled)} of them with viewpoints; "
        f"{len(validation)} validation shapes"
    )
    some = np.arange(min(_NUM_FRAMED, len(shapes)))
    extent = framing.extent(shapes.unpack_masks(some, 0))
    return LoadedData(builder.builder_config.name, shapes, validation, labeled, extent)


def build(data, train):
    """Builds and compiles the model that the settings describe, with the authors' Adam momenta.

    Args:
      data: a `DataSettings`.
      train: a `TrainSettings`.

    Returns:
      A `SemiSupervisedReconstructor`.
    """
    model = SemiSupervisedReconstructor(
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
    model.compile(
        encoder_optimizer=FusedAdam(train.encoder_learning_rate, 0.9, 0.999),
        generator_optimizer=FusedAdam(train.generator_learning_rate, 0.5, 0.9),
        discriminator_optimizer=FusedAdam(train.discriminator_learning_rate, 0.5, 0.9),
        viewpoint_optimizer=FusedAdam(train.encoder_learning_rate, 0.9, 0.999),
    )
    return model


def restore(workdir, model, data_set, init_from):
    """Restores a model from the newest checkpoint of a workdir, or starts it from another run.

    Args:
      workdir: folder of the run.
      model: from `build`; a run without checkpoints leaves it as it is.
      data_set: name of the prepared data set that the run trains on.
      init_from: workdir or checkpoint whose networks a new run starts from; "" for none.

    Returns:
      The `checkpoints.Checkpoint` that the run resumes from, or None.

    Raises:
      UserError: the checkpoint is of another data set or architecture.
    """
    newest = checkpoints.latest(workdir / "checkpoints")
    if newest is not None:
        if newest.progress["data_set"] != data_set:
            raise UserError(
                f"the shapes in --manual_dir changed since {workdir} was trained: choose another "
                "--workdir"
            )
        checkpoints.restore(newest, model)
        print(f"continuing from step {newest.step}")
    elif init_from:
        checkpoints.start_from(checkpoints.find(init_from), model)
    return newest
