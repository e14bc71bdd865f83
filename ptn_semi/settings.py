"""Every setting, declared once: flags, the files in a workdir and the libraries share them.

Each field below becomes a flag of the same name in the mains that use its class (`flags.define`).
Nothing here needs TensorFlow, so that flags are read and checked before it is loaded.
"""

import dataclasses
from typing import Any

from ptn_semi.models import architectures
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera, ViewRanges
from ptn_semi.utils.errors import UserError
from ptn_semi.utils.flags import setting

LAYOUTS = ("procedural", "shapenet_vox32", "shapenet_core_v2", "meshes", "voxels")
BEAM_RUNNERS = ("direct", "flink", "spark", "dataflow")
AUTO = "auto"  # chosen by what the machine can do
PRETRAINED = "pretrained"  # the model that comes with the package
STRATEGIES = ("single", "mirrored", "multi_worker")
TUNERS = ("random", "bayesian", "hyperband")
WEIGHTS = (
    "reconstruction_weight",
    "latent_invariance_weight",
    "voxel_invariance_weight",
    "adversarial_weight",
    "gradient_penalty_weight",
)
SWEPT = (
    *WEIGHTS,
    "occupancy_weight",
    "self_reconstruction_weight",
    "encoder_learning_rate",
    "generator_learning_rate",
    "discriminator_learning_rate",
)
MESH_FORMATS = ("glb", "obj", "ply", "stl")
COLOR_FORMATS = ("glb", "obj", "ply")
SHAPE_FORMATS = (*MESH_FORMATS, "binvox", "npz")
SURFACES = ("smooth", "blocky")
SHAPES = ("whole", "threshold")
SEGMENTATIONS = ("auto", "plain", "model")
EXPORT_FORMATS = ("saved_model", "tflite", "onnx", "pretrained")


@dataclasses.dataclass(frozen=True)
class ShapeSettings:
    """Where shapes come from and how their masks are rendered."""

    dataset: str = setting("procedural", "Where the shapes come from.", choices=LAYOUTS)
    manual_dir: str = setting(
        "", "Folder (or .tgz) with the shapes; procedural needs none.", is_path=True
    )
    categories: tuple[str, ...] = setting(
        (), "Category names or synset ids, separated by commas; empty for all there are."
    )
    voxel_size: int = setting(
        32, "Voxels along each side of the grid.", choices=architectures.VOXEL_SIZES
    )
    image_size: int = setting(
        32,
        "Rows and columns of a mask.",
        low=architectures.IMAGE_SIZES[0],
        high=architectures.IMAGE_SIZES[1],
    )
    num_views: int = setting(24, "Masks rendered per shape.", low=2, high=1000)
    num_shapes: int = setting(2000, "Shapes in the procedural data set.", low=1, high=10_000_000)
    data_seed: int = setting(0, "Seed of the viewpoints and of procedural shapes.", low=0)
    elevation_range: tuple[float, float] = setting(
        ELEVATION_RANGE, "Lowest and highest elevation of a view, in degrees."
    )
    azimuth_range: tuple[float, float] = setting(
        AZIMUTH_RANGE, "Lowest and highest azimuth of a view, in degrees."
    )
    roll_range: tuple[float, float] = setting(
        (0.0, 0.0), "Lowest and highest roll of a view, in degrees."
    )
    distance_range: tuple[float, float] = setting(
        (0.0, 0.0),
        "Least and greatest distance of a view, in grid sides, in place of --camera_distance. The "
        "nearer the camera, the stronger the perspective; the grid stays as large in the mask.",
    )
    framed_share: float = setting(
        0.0,
        "Share of the masks that are centred and scaled by the object's bounding box, as users' "
        "images are.",
        low=0,
        high=1,
    )
    perspective: bool = setting(True, "Perspective camera; --noperspective for orthographic.")
    camera_distance: float = setting(
        Camera.distance, "Camera to grid centre, in grid sides.", low=1.001
    )
    field_of_view: float = setting(
        Camera.field_of_view, "Full angle that a mask spans, in degrees.", low=0.1, high=179
    )
    mesh_up: str = setting("+y", "Axis that points up in --dataset=meshes, as +z.")
    mesh_front: str = setting("+z", "Axis that the front faces in --dataset=meshes, as -y.")
    skip_invalid: bool = setting(False, "Leave out files that cannot be used, and list them.")

    @property
    def camera(self) -> Camera:
        """The `Camera` that renders the masks."""
        return Camera(self.perspective, self.camera_distance, self.field_of_view)

    @property
    def views(self) -> ViewRanges:
        """The ranges of the views' viewpoints.

        Raises:
          UserError: if a range is not one.
        """
        if any(self.distance_range) and not self.perspective:
            raise UserError(
                "--distance_range needs a perspective camera: leave out --noperspective"
            )
        try:
            return ViewRanges.of(self)
        except ValueError as error:
            raise UserError(f"the flags of the cameras do not go together: {error}") from error

    @property
    def source_options(self) -> dict[str, Any]:
        """Arguments of `layouts.open_source` beside layout, folder and voxel size."""
        options: dict[str, Any] = {"categories": self.categories}
        if self.dataset == "procedural":
            options |= {"num_shapes": self.num_shapes, "seed": self.data_seed}
        if self.dataset == "meshes":
            options |= {"up": self.mesh_up, "front": self.mesh_front}
        return options


@dataclasses.dataclass(frozen=True)
class DataSettings(ShapeSettings):
    """Settings of a data set: its shapes, their masks, and where it is kept."""

    data_dir: str = setting("data", "Folder that prepared data sets are kept in.", is_path=True)


@dataclasses.dataclass(frozen=True)
class TrainSettings(LossSettings):
    """Settings of the networks, their losses and their optimizers.

    Raises:
      UserError: if the losses do not go together.
    """

    preset: str = setting("small", "Sizes of the networks.", choices=tuple(architectures.PRESETS))
    model_voxel_size: int = setting(
        0,
        "Voxels along each side of the grid that is reconstructed; 0 for as many as in the data "
        "set, whose voxels may be finer.",
        choices=(0, *architectures.VOXEL_SIZES),
    )
    precision: str = setting(
        "float32",
        "Compute dtype of the networks; weights stay float32. auto: "
        "mixed_bfloat16 where the GPU or CPU multiplies bfloat16 itself, else float32.",
        choices=(*architectures.PRECISIONS, AUTO),
    )
    pose_fraction: float = setting(
        0.5,
        "Share of each category's training shapes whose viewpoints are used, at least one shape.",
        low=0,
        high=1,
    )
    procedural_shapes: int = setting(
        0,
        "Procedural shapes, whose voxels are known, to learn from beside the labeled ones; with "
        "--pose_fraction=0 in their place, so that no viewpoint of the data set is used.",
        low=0,
        high=1_000_000,
    )
    unlabeled_dir: str = setting(
        "",
        "Folder of images, or masks, of objects of the same categories: the unlabeled masks come "
        "from it. Images whose silhouettes are doubtful are left out.",
        is_path=True,
    )
    unlabeled_dir_share: float = setting(
        1.0,
        "Share of the unlabeled masks that come from --unlabeled_dir; the others are the data "
        "set's.",
        low=0.01,
        high=1,
    )
    labeled_views: int = setting(5, "Views of a labeled shape that are used.", low=2)
    mirror_views: bool = setting(
        True,
        "Train on the mirror images of shapes too (masks flipped, azimuths negated), and predict "
        "the mean of a mask's and of its mirror image's reconstructions. Categories whose "
        "labeled shapes are unlike their mirror images are not mirrored, nor are predictions then.",
    )
    warp_strength: float = setting(
        0.0,
        "How far warped shapes are stretched: the largest logarithm of the stretch of an axis. 0 "
        "chooses it for each category by how much its labeled shapes differ (.25 for shapes that "
        "the generator makes).",
        low=0,
        high=1,
    )
    correct_hulls: bool = setting(
        False,
        "Weigh the voxels of a labeled shape's visual hull by how likely they are part of the "
        "shape, as a small network that comes with the package says.",
    )
    batch_size: int = setting(
        32,
        "Unlabeled masks, warped shapes, and pairs if not set apart, in a step.",
        low=1,
        high=65536,
    )
    labeled_batch_size: int = setting(
        0, "Pairs of labeled views in a step; 0 for as many as --batch_size.", low=0, high=65536
    )
    seed: int = setting(0, "Seed of weights, batches, latents and the labeled subset.", low=0)
    encoder_learning_rate: float = setting(
        1e-3, "Adam's, for E, and for the viewpoint estimator.", low=0
    )
    generator_learning_rate: float = setting(1e-3, "Adam's, for G.", low=0)
    discriminator_learning_rate: float = setting(1e-4, "Adam's, for D.", low=0)
    decay_steps: int = setting(
        0,
        "Steps over which all learning rates fall to 0, along a cosine; 0 for constant ones.",
        low=0,
    )
    ema_decay: float = setting(
        0.99,
        "Decay of the exponential moving average of the weights, which is scored; 0 for none.",
        low=0,
        high=0.99999,
        formerly="average_decay",
    )
    init_from: str = setting(
        "",
        "Workdir, checkpoint or published model (hf://user/model) whose networks to start from; "
        "pretrained for the model that comes with the package.",
        is_model=True,
    )
    freeze_encoder: bool = setting(
        False, "Train all networks but the encoder (few-shot fine-tuning)."
    )

    def __post_init__(self):
        try:
            super().__post_init__()
        except ValueError as error:
            raise UserError(f"these flags do not go together: {error}") from error
        if self.unlabeled_dir and self.supervision == "labeled":
            raise UserError(
                "--unlabeled_dir has unlabeled masks, which --supervision=labeled does not use: "
                "leave one of them out"
            )
        if self.procedural_shapes and self.supervision == "unlabeled":
            raise UserError(
                "--procedural_shapes has viewpoints, which --supervision=unlabeled does not use: "
                "give --pose_fraction=0 to use none of the data set's"
            )

    @property
    def knows_viewpoints(self) -> bool:
        """Whether the training uses viewpoints of the data set's own shapes."""
        only_procedural = self.procedural_shapes and not self.pose_fraction
        return self.supervision != "unlabeled" and not only_procedural

    @property
    def losses(self) -> LossSettings:
        """The `LossSettings` among these settings."""
        names = [field.name for field in dataclasses.fields(LossSettings)]
        return LossSettings(**{name: getattr(self, name) for name in names})


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Settings of how a run is carried out; they do not change the weights that it arrives at.

    XLA, and steps that several devices share, add numbers up in another order and so round
    differently.
    """

    steps: int = setting(
        2000, "Training steps, of one to three iterations (the paper counts each iteration).", low=1
    )
    max_minutes: float = setting(
        0.0, "Stop earlier, after this many minutes of training in total; 0 for never.", low=0
    )
    evaluate_every: int = setting(100, "Steps between validations, each with a checkpoint.", low=1)
    validation_views: int = setting(2, "Views of each validation shape that are scored.", low=1)
    max_masks_gb: float = setting(
        4.0, "Training masks kept in memory, in GB; a larger data set is read from disk.", low=0
    )
    jit_compile: str = setting(
        AUTO,
        "Compile the networks with XLA; auto: on a GPU only (far slower on a CPU).",
        choices=(AUTO, "on", "off"),
    )
    strategy: str = setting(
        "single",
        "What shares a step: one device; all GPUs of this machine (mirrored); those of "
        "all machines in TF_CONFIG (multi_worker).",
        choices=STRATEGIES,
    )


@dataclasses.dataclass(frozen=True)
class MeshSettings:
    """Settings of the meshes that are made of voxels."""

    surface: str = setting(
        "smooth", "Of meshes: marching cubes, or voxels' sides.", choices=SURFACES
    )
    smoothing: int = setting(
        0,
        "Rounds of Taubin smoothing of meshes: it evens out steps and keeps the size.",
        low=0,
        high=1000,
    )
    max_faces: int = setting(
        0,
        "Reduce meshes to so many triangles, or to as few as the surface stays closed with; 0 for "
        "all.",
        low=0,
    )
    size_mm: float = setting(
        0.0, "Longest side of meshes, in mm; 0 leaves the grid's side at 1.", low=0
    )
    color: bool = setting(False, "Give meshes the colours of the images.")


PLAIN_MESHES = MeshSettings()


def check(data: DataSettings, train: TrainSettings, run: RunSettings) -> None:
    """Raise a `UserError` where the settings of a training do not go together."""
    if train.model_voxel_size > data.voxel_size:
        raise UserError(
            f"--model_voxel_size={train.model_voxel_size} is finer than the data set's voxels: "
            f"give --voxel_size={train.model_voxel_size}"
        )
    if train.knows_viewpoints and not train.pose_fraction:
        raise UserError(
            "--pose_fraction=0 uses no viewpoint of the data set: add --procedural_shapes=2000 to "
            "learn from generated shapes, or --supervision=unlabeled to learn from masks alone"
        )
    # Mirrored masks are seen from the mirrored azimuths: fakes must be drawn from those too.
    low, high = data.azimuth_range
    if train.mirror_views and high - low < 360 and low != -high:
        raise UserError(
            f"--mirror_views needs azimuths all round or as far to either side, not {low:g} to "
            f"{high:g}: add --nomirror_views"
        )
    low, high = data.views.roll
    if train.mirror_views and low != -high:
        raise UserError(
            f"--mirror_views needs a roll as far to either side, not {low:g} to {high:g}: add "
            "--nomirror_views"
        )
    if run.strategy != "single" and run.jit_compile == "on":
        raise UserError(f"--strategy={run.strategy} cannot use --jit_compile=on: leave it out")
    if run.strategy == "multi_worker" and train.precision == AUTO:
        raise UserError(
            "--strategy=multi_worker cannot use --precision=auto, as each machine has processors "
            "of its own: give one"
        )
    if run.strategy == "multi_worker" and run.max_minutes:
        raise UserError(
            "--strategy=multi_worker cannot use --max_minutes, as each machine has a clock of its "
            "own: give --steps"
        )
