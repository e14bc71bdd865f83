"""Draw the reconstructions of several runs side by side, for shapes spread evenly over a split.

    python tools/compare_runs.py --runs="P=runs/p,P+U=runs/pu" --output=docs/unlabeled.png

All runs must have been trained on the same shapes. Their resolutions may differ: each run gets the
masks of its own data set, and the finest masks are shown.
"""

from collections.abc import Sequence

import numpy as np
from absl import flags as absl_flags
from scipy import ndimage

from ptn_semi.settings import SURFACES
from ptn_semi.training import workdirs
from ptn_semi.utils import cli
from ptn_semi.utils.errors import UserError

with cli.loading():
    from ptn_semi.data import preparation, splits
    from ptn_semi.models import checkpoints
    from ptn_semi.visual import shading, sheets, surfaces

FLAGS = absl_flags.FLAGS
_SMOOTH_SIZE = 256  # voxels along each side that a smooth surface is drawn with


def reconstruct(
    checkpoint: checkpoints.Checkpoint, masks: np.ndarray, surface: str
) -> list[np.ndarray]:
    """Reconstruct masks at the run's best validation threshold, without small components.

    Args:
      checkpoint: a checkpoint of the run.
      masks: float [B, H, W, 1].
      surface: one of `SURFACES`.

    Returns:
      The occupied voxels to draw of each shape; see `to_draw`.
    """
    voxels = checkpoints.load_networks(checkpoint).predict(masks)
    threshold = checkpoint.info.threshold
    return [
        to_draw(surfaces.drop_small_components(shape, threshold), threshold, surface)
        for shape in voxels
    ]


def to_draw(voxels: np.ndarray, threshold: float, surface: str) -> np.ndarray:
    """Return the occupied voxels to draw: the shape's own, or finer ones inside a smooth surface.

    Args:
      voxels: probabilities [N, N, N].
      threshold: probability above which voxels are occupied.
      surface: one of `SURFACES`.
    """
    if surface == "blocky":
        return voxels > threshold
    # Marching cubes interpolates linearly, too.
    times = _SMOOTH_SIZE // len(voxels)
    zoom = {"order": 1, "grid_mode": True, "mode": "grid-constant"}
    return ndimage.zoom(np.float32(voxels), times, **zoom) > threshold


def draw(runs: Sequence[Sequence[str]], split: str, count: int, surface: str) -> np.ndarray:
    """Draw a sheet of input masks, each run's reconstructions and the true shapes.

    Args:
      runs: (title, workdir) of each run.
      split: a TFDS split expression.
      count: how many shapes to draw.
      surface: how to draw shapes, one of `SURFACES`.

    Returns:
      uint8 [height, width, 3].

    Raises:
      UserError: if a run was trained on other shapes than the first.
    """
    sets = []
    for _, workdir in runs:
        data, _, _ = workdirs.read_settings(workdir)
        sets.append(splits.load(preparation.prepare(data), split, with_voxels=True))
        # Viewpoints depend on the shapes' ids and the seed.
        if not np.array_equal(sets[-1].viewpoints, sets[0].viewpoints):
            raise UserError(f"{workdir} was trained on other shapes than {runs[0][1]}")
    shapes = max(sets, key=lambda shapes: (shapes.voxel_size, shapes.image_size))
    index = shapes.spread(count)
    masks, truth = shapes.unpack_masks(index, 0), shapes.unpack_voxels(index)
    shown = [
        reconstruct(checkpoints.find(workdir), own.unpack_masks(index, 0), surface)
        for (_, workdir), own in zip(runs, sets, strict=True)
    ]
    solid = [to_draw(voxels, 0.5, surface) for voxels in truth]
    rows = [
        [sheets.mask_picture(mask)]
        + [
            shading.shade_voxels(voxels[row], shading.VIEWPOINTS[0], 128, shading.PREDICTED_COLOR)
            for voxels in shown
        ]
        + [shading.shade_voxels(solid[row], shading.VIEWPOINTS[0], 128, sheets.TRUE_COLOR)]
        for row, mask in enumerate(masks)
    ]
    return sheets.grid(rows, ["input mask", *(title for title, _ in runs), "true shape"])


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_list(
        "runs", None, "TITLE=WORKDIR of each run, separated by commas.", required=True
    )
    absl_flags.DEFINE_string("output", None, "The PNG to write.", required=True)
    absl_flags.DEFINE_string("split", "test", "Any TFDS split expression.")
    absl_flags.DEFINE_integer("count", 8, "Shapes to draw.", lower_bound=1)
    absl_flags.DEFINE_enum(
        "surface", "blocky", SURFACES, "Draw voxels, or the smooth surface of meshes."
    )


def main() -> None:
    """Parse flags and draw the sheet."""
    runs = [tuple(run.split("=", 1)) for run in FLAGS.runs]
    if any(len(run) != 2 for run in runs):
        raise UserError(f"--runs={','.join(FLAGS.runs)} is not of the form TITLE=WORKDIR,...")
    sheets.save_png(FLAGS.output, draw(runs, FLAGS.split, FLAGS.count, FLAGS.surface))


if __name__ == "__main__":
    cli.run(main, define_flags)
