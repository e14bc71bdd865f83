"""Score and draw a model's predictions from 1, 2, 4 and 8 views of an object.

    python tools/compare_views.py --workdir=runs/chairs --output=docs/several_views.png

The first views of each shape are used. The table has the AP with viewpoints that the model
estimates, and with the true ones. The picture shows shapes spread evenly over the split.
"""

import numpy as np
import tqdm
from absl import flags as absl_flags

from ptn_semi.training import workdirs
from ptn_semi.utils import cli, flags

with cli.loading():
    from ptn_semi.data import preparation, splits
    from ptn_semi.evaluation import metrics
    from ptn_semi.models import checkpoints
    from ptn_semi.models.networks import Networks
    from ptn_semi.shapes import predictions
    from ptn_semi.visual import shading, sheets

FLAGS = absl_flags.FLAGS
COUNTS = (1, 2, 4, 8)
_BATCH_SIZE = 16


def score(networks: Networks, shapes: splits.Shapes, count: int, known: bool) -> np.ndarray:
    """Return each shape's AP, [B], from its first views, with their viewpoints if known."""
    scores = []
    title = f"{count} views{', known viewpoints' * known}"
    for start in tqdm.tqdm(range(0, len(shapes), _BATCH_SIZE), title, unit=" batches"):
        index = np.arange(start, min(start + _BATCH_SIZE, len(shapes)))
        viewpoints = shapes.viewpoints[index, :count] if known else None
        voxels, _ = networks.predict_views(views_of(shapes, index, count), viewpoints)
        scores.append(metrics.average_precision(voxels, shapes.unpack_voxels(index)))
    return np.concatenate(scores)


def views_of(shapes: splits.Shapes, index: np.ndarray, count: int) -> np.ndarray:
    """Return the first views of some shapes, float32 [B, count, S, S, 1]."""
    views = [shapes.unpack_masks(index, np.full(len(index), view)) for view in range(count)]
    return np.stack(views, axis=1).astype(np.float32)


def draw(networks: Networks, shapes: splits.Shapes, threshold: float, count: int) -> np.ndarray:
    """Draw some shapes as predicted from more and more views, beside the true shapes."""
    index = shapes.spread(count)
    first, second = views_of(shapes, index, 2).swapaxes(0, 1)
    columns = {"first view": [*map(sheets.mask_picture, first)]}
    columns["second view"] = [*map(sheets.mask_picture, second)]
    for views in COUNTS:
        predicted, _ = predictions.predict_shapes(
            networks, views_of(shapes, index, views), threshold
        )
        columns[f"from {views} view{'s' * (views > 1)}"] = [
            shading.shade_voxels(shape.occupied, shading.VIEWPOINTS[0]) for shape in predicted
        ]
    columns["true shape"] = [
        shading.shade_voxels(shape, shading.VIEWPOINTS[0], color=sheets.TRUE_COLOR)
        for shape in shapes.unpack_voxels(index)
    ]
    return sheets.grid(list(zip(*columns.values(), strict=True)), list(columns))


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the trained run.")
    absl_flags.DEFINE_string("output", None, "The PNG to write.")
    absl_flags.DEFINE_string("split", "test", "Any TFDS split expression.")
    absl_flags.DEFINE_integer("count", 8, "Shapes to draw.", lower_bound=1)
    flags.keep_local("workdir", "output")
    flags.require("workdir", "FOLDER")
    flags.require("output", "PATH")


def main() -> None:
    """Parse flags, print the scores and draw the sheet."""
    data, _, _ = workdirs.read_settings(FLAGS.workdir)
    checkpoint = checkpoints.find(FLAGS.workdir)
    networks = checkpoints.load_networks(checkpoint)
    shapes = splits.load(preparation.prepare(data), FLAGS.split, with_voxels=True)
    lines = []
    for count in COUNTS:
        cells = [score(networks, shapes, count, known) for known in (False, True)]
        means = (f"{aps.mean():.3f} ± {aps.std() / len(aps) ** 0.5:.3f}" for aps in cells)
        lines.append(f"{count:5}" + "".join(f"{mean:>20}" for mean in means))
    print(f"AP of {len(shapes)} shapes, mean ± standard error over shapes")
    print("views           estimated          known viewpoints", *lines, sep="\n")
    drawn = draw(networks, shapes, checkpoint.info.threshold, FLAGS.count)
    sheets.save_png(FLAGS.output, drawn)


if __name__ == "__main__":
    cli.run(main, define_flags)
