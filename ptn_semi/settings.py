"""Everything that can be set, once: flags, the files in a workdir and the libraries share it.

Each field below becomes a flag of the same name in the mains that use its class (`ptn_semi.flags`).
"""

import dataclasses

from ptn_semi import geometry, losses, model, networks, strategies
from shapenet_posed_masks.sources import LAYOUTS

_LOSS = model.LossSettings  # its defaults are those of the flags


def setting(default, help, choices=None, low=None, high=None):
    """A dataclass field with what its flag needs; `low` and `high` are inclusive bounds."""
    bounds = {"help": help, "choices": choices, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=bounds)


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which data set, and how it is rendered."""

    dataset: str = setting("procedural", "Where the shapes come from.", choices=LAYOUTS)
    manual_dir: str = setting("", "Folder (or .tgz) with the shapes; procedural needs none.")
    data_dir: str = setting("data", "Folder that prepared data sets are kept in.")
    categories: tuple[str, ...] = setting(
        (), "Category names or synset ids, separated by commas; empty for all there are."
    )
    voxel_size: int = setting(
        32, "Voxels along each side of the grid.", choices=networks.VOXEL_SIZES
    )
    image_size: int = setting(
        32, "Rows and columns of a mask.", low=networks.IMAGE_SIZES[0], high=networks.IMAGE_SIZES[1]
    )
    num_views: int = setting(24, "Masks rendered per shape.", low=2, high=1000)
    num_shapes: int = setting(2000, "Shapes in the procedural data set.", low=1, high=10_000_000)
    data_seed: int = setting(0, "Seed of the viewpoints and of procedural shapes.", low=0)
    elevation_range: tuple[float, float] = setting(
        geometry.ELEVATION_RANGE, "Lowest and highest elevation of a view, in degrees."
    )
    azimuth_range: tuple[float, float] = setting(
        geometry.AZIMUTH_RANGE, "Lowest and highest azimuth of a view, in degrees."
    )
    perspective: bool = setting(True, "Perspective camera; --noperspective for orthographic.")
    camera_distance: float = setting(
        geometry.Camera.distance, "Camera to grid centre, in grid sides.", low=1.001
    )
    field_of_view: float = setting(
        geometry.Camera.field_of_view,
        "Full angle that a mask spans, in degrees.",
        low=0.1,
        high=179,
    )
    mesh_up: str = setting("+y", "Axis that points up in --dataset=meshes, as +z.")
    mesh_front: str = setting("+z", "Axis that the front faces in --dataset=meshes, as -y.")
    skip_invalid: bool = setting(False, "Leave out files that cannot be used, and list them.")

    @property
    def camera(self):
        """The `geometry.Camera` that masks are rendered with."""
        return geometry.Camera(self.perspective, self.camera_distance, self.field_of_view)


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """The networks, what they minimise, and for how long."""

    preset: str = setting("small", "Sizes of the networks.", choices=tuple(networks.PRESETS))
    precision: str = setting(
        "float32", "That the networks compute in; weights are kept in float32.",
        choices=networks.PRECISIONS,
    )  # fmt: skip
    supervision: str = setting(
        "both", "labeled: pairs with viewpoints (the paper's P); unlabeled: masks alone (U); both "
        "(P+U).", choices=model.SUPERVISIONS,
    )  # fmt: skip
    pose_fraction: float = setting(
        0.5, "Share of the training shapes whose viewpoints are used; at least one shape.",
        low=0, high=1,
    )  # fmt: skip
    labeled_views: int = setting(5, "Views of a labeled shape that are used.", low=2)
    mirror_views: bool = setting(
        True, "Train on the mirror images of shapes too: masks flipped, azimuths negated."
    )
    batch_size: int = setting(
        32, "Unlabeled masks, warped shapes, and pairs if not set apart, in a step.",
        low=1, high=65536,
    )  # fmt: skip
    labeled_batch_size: int = setting(
        0, "Pairs of labeled views in a step; 0 for as many as --batch_size.", low=0, high=65536
    )
    seed: int = setting(0, "Seed of weights, batches, latents and the labeled subset.", low=0)
    encoder_learning_rate: float = setting(
        1e-3, "Adam's, for E, and for the viewpoint estimator.", low=0
    )
    generator_learning_rate: float = setting(1e-3, "Adam's, for G.", low=0)
    discriminator_learning_rate: float = setting(1e-4, "Adam's, for D.", low=0)
    reconstruction_weight: float = setting(
        _LOSS.reconstruction_weight, "Weight of equation 1.", low=0
    )
    latent_invariance_weight: float = setting(
        _LOSS.latent_invariance_weight, "Weight of equation 2.", low=0
    )
    voxel_invariance_weight: float = setting(
        _LOSS.voxel_invariance_weight, "Weight of equation 3.", low=0
    )
    adversarial_weight: float = setting(
        _LOSS.adversarial_weight, "Weight of the GAN loss in G; 0 leaves the GAN out.", low=0
    )
    gradient_penalty_weight: float = setting(
        _LOSS.gradient_penalty_weight, "Weight of the gradient penalty in D.", low=0
    )
    gan_loss: str = setting("non_saturating", "The GAN loss.", choices=tuple(losses.GAN_LOSSES))
    gradient_penalty: str = setting(
        "dragan", "The gradient penalty of D.", choices=tuple(losses.GRADIENT_PENALTIES)
    )
    occupancy_weight: float = setting(
        _LOSS.occupancy_weight, "Weight of voxels against warped visual hulls of labeled shapes "
        "(of generated shapes with --supervision=unlabeled).", low=0,
    )  # fmt: skip
    self_reconstruction_weight: float = setting(
        _LOSS.self_reconstruction_weight, "Weight of unlabeled masks against their reconstructions "
        "seen from estimated viewpoints.", low=0,
    )  # fmt: skip
    self_reconstruction_warmup: int = setting(
        _LOSS.self_reconstruction_warmup, "Steps in which that weight grows from 0.", low=0
    )
    average_decay: float = setting(
        0.99, "Decay of the averages of E's and G's weights that are scored; 0 for none.",
        low=0, high=0.99999,
    )  # fmt: skip
    init_from: str = setting("", "Workdir or checkpoint whose networks to start from.")
    freeze_encoder: bool = setting(False, "Train the generator only (few-shot fine-tuning).")


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """How a training run is done, watched and kept; nothing here changes its weights.

    (But for XLA and for steps that several devices share, which round in another order.)
    """

    steps: int = setting(2000, "Pairs of iterations (the paper counts each of a pair).", low=1)
    max_minutes: float = setting(
        0.0, "Stop earlier, after so many minutes of training in all; 0 for never.", low=0
    )
    evaluate_every: int = setting(100, "Steps between validations, each with a checkpoint.", low=1)
    validation_views: int = setting(2, "Views of each validation shape that are scored.", low=1)
    max_masks_gb: float = setting(
        4.0, "Training masks kept in memory, in GB; a larger data set is read from disk.", low=0
    )
    jit_compile: str = setting(
        "auto", "Compile the networks with XLA; auto: on a GPU only (far slower on a CPU).",
        choices=("auto", "on", "off"),
    )  # fmt: skip
    strategy: str = setting(
        "single", "What shares a step: one device; all GPUs of this machine (mirrored); those of "
        "all machines in TF_CONFIG (multi_worker).", choices=strategies.STRATEGIES,
    )  # fmt: skip
