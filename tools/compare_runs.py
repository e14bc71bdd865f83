"""Draw reconstructions of several runs side by side, of shapes spread evenly over a split.

    python tools/compare_runs.py --runs="P=runs/p,P+U=runs/pu" --output=docs/unlabeled.png

All runs must have been trained on the same shapes. Their resolutions may differ; each sees the
masks of its own data set, and the first run's are shown.
"""

from collections.abc import Sequence

import numpy as np
from absl import flags as absl_flags

from ptn_semi.training import workdirs
from ptn_semi.utils import cli
from ptn_semi.utils.errors import UserError

with cli.loading():
    from ptn_semi.data import preparation, splits
    from ptn_semi.models import checkpoints
    from ptn_semi.models.predictor import Predictor
    from ptn_semi.visual import shading, sheets, surfaces

FLAGS = absl_flags.FLAGS
VIEWPOINT = (20, 30)  # elevation and azimuth in degrees at which shapes are drawn


def reconstruct(checkpoint: checkpoints.Checkpoint, masks: np.ndarray) -> np.ndarray:
    """Reconstruct masks with a run's model at its best validation threshold, without crumbs.

    Args:
      checkpoint: a checkpoint of the run.
      masks: float [B, H, W, 1].

    Returns:
      Occupied voxels, bool [B, N, N, N].
    """
    voxels = Predictor(checkpoints.load_model(checkpoint))(masks)
    threshold = checkpoint.progress["best"]["threshold"]
    return np.stack([surfaces.without_crumbs(shape, threshold) > threshold for shape in voxels])


def draw(runs: Sequence[Sequence[str]], split: str, count: int) -> np.ndarray:
    """Draw a sheet of input masks, each run's reconstructions and the true shapes.

    Args:
      runs: (title, workdir) of each run.
      split: a TFDS split expression.
      count: the most shapes to draw.

    Returns:
      uint8 [height, width, 3].

    Raises:
      UserError: a run was trained on other shapes than the first.
    """
    sets = []
    for _, workdir in runs:
        data, _, _ = workdirs.read_settings(workdir)
        sets.append(splits.load(preparation.prepare(data), split, with_voxels=True))
        if not np.array_equal(sets[-1].model_ids, sets[0].model_ids):
            raise UserError(f"{workdir} was trained on other shapes than {runs[0][1]}")
    shapes = sets[0]
    index = np.linspace(0, len(shapes) - 1, min(count, len(shapes))).astype(int)
    masks, truth = shapes.unpack_masks(index, 0), shapes.unpack_voxels(index)
    shown = [
        reconstruct(checkpoints.find(workdir), own.unpack_masks(index, 0))
        for (_, workdir), own in zip(runs, sets, strict=True)
    ]
    rows = [
        [sheets.mask_picture(mask)]
        + [
            shading.shade_voxels(voxels[row], VIEWPOINT, 128, shading.PREDICTED_COLOR)
            for voxels in shown
        ]
        + [shading.shade_voxels(truth[row], VIEWPOINT, 128, sheets.TRUE_COLOR)]
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


def main() -> None:
    """Parse flags and draw the sheet."""
    runs = [tuple(run.split("=", 1)) for run in FLAGS.runs]
    if any(len(run) != 2 for run in runs):
        raise UserError(f"--runs={','.join(FLAGS.runs)} is not of the form TITLE=WORKDIR,...")
    sheets.save_png(FLAGS.output, draw(runs, FLAGS.split, FLAGS.count))


if __name__ == "__main__":
    cli.run(main, define_flags)
