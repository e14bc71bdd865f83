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
from ptn_semi.utils import cli, flags
from ptn_semi.utils.errors import UserError

with cli.loading():
    from ptn_semi.data import preparation, splits
    from ptn_semi.models import checkpoints
    from ptn_semi.shapes import predictions
    from ptn_semi.visual import shading, sheets

FLAGS = absl_flags.FLAGS
_SMOOTH_SIZE = 256  # voxels along each side that a smooth surface is drawn with


def shade(
    voxels: np.ndarray,
    threshold: float,
    surface: str,
    color: shading.Color = shading.PREDICTED_COLOR,
) -> np.ndarray:
    """Draw probabilities [N, N, N] as voxels, or as finer ones inside a smooth surface."""
    if surface == "blocky":
        occupied = voxels > threshold
    else:  # marching cubes interpolates linearly, too
        zoom = {"order": 1, "grid_mode": True, "mode": "grid-constant"}
        fine = ndimage.zoom(np.float32(voxels), _SMOOTH_SIZE // len(voxels), **zoom)
        occupied = fine > threshold
    return shading.shade_voxels(occupied, shading.VIEWPOINTS[0], 128, color)


def draw_predictions(workdir: str, masks: np.ndarray, surface: str) -> list[np.ndarray]:
    """Draw the whole shapes that a run predicts."""
    checkpoint, color = checkpoints.find(workdir), shading.PREDICTED_COLOR
    networks = checkpoints.load_networks(checkpoint)
    predicted, _ = predictions.predict_shapes(networks, masks[:, None], checkpoint.info.threshold)
    return [shade(*shape, surface, color) for shape in predicted]


def draw(runs: Sequence[Sequence[str]], split: str, count: int, surface: str) -> np.ndarray:
    """Draw a sheet of input masks, the reconstructions of (title, workdir) and the true shapes.

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
    truth = shapes.unpack_voxels(index)
    columns = [
        map(sheets.mask_picture, shapes.unpack_masks(index, 0)),
        *(
            draw_predictions(workdir, own.unpack_masks(index, 0), surface)
            for (_, workdir), own in zip(runs, sets, strict=True)
        ),
        [shade(voxels, 0.5, surface, sheets.TRUE_COLOR) for voxels in truth],
    ]
    rows = list(zip(*columns, strict=True))
    return sheets.grid(rows, ["input mask", *(title for title, _ in runs), "true shape"])


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_list("runs", None, "TITLE=WORKDIR of each run, separated by commas.")
    absl_flags.DEFINE_string("output", None, "The PNG to write.")
    absl_flags.DEFINE_string("split", "test", "Any TFDS split expression.")
    absl_flags.DEFINE_integer("count", 8, "Shapes to draw.", lower_bound=1)
    absl_flags.DEFINE_enum(
        "surface", "blocky", SURFACES, "Draw voxels, or the smooth surface of meshes."
    )
    flags.keep_local("output")
    flags.require("output", "PATH")
    flags.require("runs", "TITLE=WORKDIR,...")


def main() -> None:
    """Parse flags and draw the sheet."""
    runs = [tuple(run.split("=", 1)) for run in FLAGS.runs]
    if any(len(run) != 2 for run in runs):
        raise UserError(f"--runs={','.join(FLAGS.runs)} is not of the form TITLE=WORKDIR,...")
    for _, workdir in runs:
        flags.check_local(workdir, f"--runs={workdir}")
    sheets.save_png(FLAGS.output, draw(runs, FLAGS.split, FLAGS.count, FLAGS.surface))


if __name__ == "__main__":
    cli.run(main, define_flags)
