"""Start of a training run: loads its shapes, builds its model and restores its checkpoint."""

import dataclasses
import pathlib

import numpy as np

from ptn_semi.data import batches, diversity, framing, preparation, procedural_shapes, splits
from ptn_semi.data.hulls import labeled_hulls
from ptn_semi.models import architectures, checkpoints, networks, shipped
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.settings import AUTO, PRETRAINED, DataSettings, RunSettings, TrainSettings
from ptn_semi.utils.errors import UserError

_NUM_FRAMED = 1000  # Masks measured to decide how users' images are framed.


@dataclasses.dataclass(frozen=True)
class LoadedData:
    """The shapes of a run.

    Attributes:
      name: name of the prepared data set.
      shapes: the training shapes, without voxels; procedural ones that were added come last.
      own: how many of these are of the data set.
      validation: the validation shapes, with voxels.
      labeled: indices of the training shapes whose viewpoints are used, int [labeled].
      hulls: visual hulls of the labeled shapes, uint8 [labeled, N, N, N] at the model's resolution;
        None if the losses do not use them.
      variations: how training varies the shapes and the hulls.
      extent: median length of objects in training masks, as a share of the mask's side.
    """

    name: str
    shapes: splits.Shapes
    own: int
    validation: splits.Shapes
    labeled: np.ndarray
    hulls: np.ndarray | None
    variations: diversity.Variations
    extent: float


def choose_precision(asked: str) -> str:
    """Choose the compute dtype; print it if it is chosen, or a note if it is slow here.

    Args:
      asked: one of `architectures.PRECISIONS`, or `settings.AUTO` for the fastest on this machine.

    Returns:
      One of `architectures.PRECISIONS`.
    """
    fastest = networks.fastest_precision()
    if asked == AUTO:
        print(f"precision: {fastest}")
        return fastest
    if asked != fastest == "float32":
        print(
            f"note: this machine does not support {asked} in hardware, so steps are slower than in "
            "float32, by some 50 times on CPUs without AVX-512: --precision=auto chooses the "
            "fastest"
        )
    return asked


def load_data(data: DataSettings, train: TrainSettings, run: RunSettings) -> LoadedData:
    """Load the shapes of a run; build the data set first if it is missing.

    Args:
      data: settings of the data set.
      train: settings of the training.
      run: settings of the run.

    Raises:
      UserError: the shapes cannot be used, or a split lacks a category.
    """
    builder = preparation.prepare(data)
    shapes = splits.load(builder, "train", max_memory=run.max_masks_gb * 1e9)
    validation = splits.load(builder, "validation", with_voxels=True)
    splits.check_categories(builder, {"train": shapes, "validation": validation})
    labeled = batches.labeled_subset(
        shapes.model_ids, shapes.categories, train.pose_fraction, train.seed
    )
    if train.procedural_shapes and not train.knows_viewpoints:
        labeled = labeled[:0]
    print(
        f"{len(shapes)} training shapes, {len(labeled)} of them with viewpoints; "
        f"{len(validation)} validation shapes"
    )
    some = np.arange(min(_NUM_FRAMED, len(shapes)))
    extent = framing.extent(shapes.unpack_masks(some, 0))
    uses_all = train.losses.uses_hulls
    voxel_size = _model_voxel_size(data, train)
    known = labeled if uses_all else diversity.some_of_each(shapes.categories, labeled)
    if not uses_all and not (train.mirror_views and train.supervision != "unlabeled"):
        known = known[:0]
    hulls = labeled_hulls(
        shapes,
        known,
        train.labeled_views,
        data.camera,
        voxel_size,
        corrected=train.correct_hulls,
        jit_compile=uses_all,
        progress=uses_all,
    )
    own = len(shapes)
    if train.procedural_shapes:
        added = procedural_shapes.load(data, shapes.categories, train.procedural_shapes)
        print(f"{len(added)} procedural shapes: {', '.join(np.unique(added.categories))}")
        shapes = procedural_shapes.join(shapes, added)
        labeled = np.concatenate([labeled, np.arange(own, len(shapes))])
        known = np.concatenate([known, np.arange(own, len(shapes))])
        hulls = np.concatenate([hulls, procedural_shapes.known(added, voxel_size)])
    variations = diversity.choose(
        shapes.categories,
        known,
        hulls,
        own,
        mirror_views=train.mirror_views,
        # Where no hull is warped, no strength has to be chosen.
        strength=train.warp_strength if uses_all else diversity.STRONGEST,
    )
    return LoadedData(
        builder.builder_config.name,
        shapes,
        own,
        validation,
        labeled,
        hulls if uses_all else None,
        variations,
        extent,
    )


def _model_voxel_size(data, train):
    return train.model_voxel_size or data.voxel_size


def build(
    data: DataSettings, train: TrainSettings, mirror_answers: bool
) -> SemiSupervisedReconstructor:
    """Build and compile the model that the settings describe, with the authors' Adam momenta.

    Args:
      data: settings of the data set.
      train: settings of the training.
      mirror_answers: whether answers are means of a mask's and of its mirror image's.
    """
    model = SemiSupervisedReconstructor(
        architecture=architectures.PRESETS[train.preset],
        voxel_size=_model_voxel_size(data, train),
        image_size=data.image_size,
        camera=data.camera,
        loss_settings=train.losses,
        freeze_encoder=train.freeze_encoder,
        average_decay=train.average_decay,
        mirror_answers=mirror_answers,
        warp_strength=train.warp_strength or diversity.STRONGEST,
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
        refiner_optimizer=FusedAdam(train.generator_learning_rate, 0.9, 0.999),
    )
    return model


def restore(
    workdir: pathlib.Path, model: SemiSupervisedReconstructor, data_set: str, init_from: str
) -> checkpoints.Checkpoint | None:
    """Restore a model from the newest checkpoint of a workdir, or start it from another run.

    Args:
      workdir: folder of the run.
      model: model from `build`. It stays as it is if there is nothing to restore.
      data_set: name of the prepared data set that the run trains on.
      init_from: workdir or checkpoint whose networks a new run starts from, or `PRETRAINED` for
        the model that comes with the package; "" for none.

    Returns:
      The checkpoint that the run resumes from, or None for a new run.

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
    elif init_from == PRETRAINED:
        shipped.start_from(model)
    elif init_from:
        checkpoints.start_from(checkpoints.find(init_from), model)
    return newest
