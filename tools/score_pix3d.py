"""Score a model on Pix3D's photographs of chairs, whose silhouettes and shapes are known.

    python tools/score_pix3d.py --pix3d=pix3d --model=runs/chairs --output=docs/pix3d.png

Pix3D (pix3d.csail.mit.edu) is to be downloaded first; its photographs are not needed. The scores
are means and standard errors over the masks:

  protocol IoU: by Pix3D's protocol; see `ptn_semi.evaluation.pix3d`. Published scores are of
    shapes that were predicted from the photographs' colours, without their masks.
  IoU, F1, mask IoU, parts: of the shapes as they are written; see docs/scores.md. IoU and F1 are
    those of shapes in their bounding boxes, as in the protocol.

The picture shows masks spread evenly over the list, the predicted and the true shapes.
"""

import numpy as np
import tqdm
from absl import flags as absl_flags

from ptn_semi.utils import cli, flags

with cli.loading():
    from ptn_semi.evaluation import pix3d, written_scores
    from ptn_semi.images import image_files
    from ptn_semi.inference import reconstruction
    from ptn_semi.inference.reconstruction import Reconstructor
    from ptn_semi.shapes import fits, predictions
    from ptn_semi.visual import shading, sheets

FLAGS = absl_flags.FLAGS
_BATCH_SIZE = 32
_NAMES = ("protocol IoU", "IoU", "F1", "mask IoU", "parts")


def read_masks(reconstructor: Reconstructor, examples: list[pix3d.Example]) -> np.ndarray:
    """Read and frame the silhouettes of some examples, float32 [B, S, S, 1]."""
    silhouettes = [np.asarray(image_files.read(each.mask).convert("L")) > 127 for each in examples]
    return np.stack([reconstructor.frame(silhouette) for silhouette in silhouettes])


def score(
    reconstructor: Reconstructor, examples: list[pix3d.Example]
) -> tuple[np.ndarray, np.ndarray]:
    """Score the predictions for some masks.

    Returns:
      IoU by threshold, [masks, thresholds], and the scores of `_NAMES` without the first, [masks,
      4].
    """
    networks, threshold = reconstructor.networks, reconstructor.threshold
    true_shapes: dict = {}
    by_threshold, written = [], []
    starts = range(0, len(examples), _BATCH_SIZE)
    for start in tqdm.tqdm(starts, desc="scoring", unit=" batches"):
        some = examples[start : start + _BATCH_SIZE]
        masks = read_masks(reconstructor, some)
        voxels = networks.predict(masks)
        shapes, viewpoints = predictions.predict_shapes(networks, masks[:, None], threshold)
        for number, example in enumerate(some):
            if example.voxels not in true_shapes:
                true_shapes[example.voxels] = pix3d.in_box(pix3d.read_voxels(example.voxels))
            truth = true_shapes[example.voxels]
            by_threshold.append(pix3d.ious(pix3d.in_box(voxels[number]), truth))
            occupied = shapes[number].occupied
            fit = fits.measure(
                occupied, masks[number], networks.render_projector, viewpoints[number, 0]
            )
            boxed = pix3d.in_box(occupied) > 0.5
            of_shape = written_scores.shape_scores(boxed, truth > 0.5)
            written.append([*of_shape, fit.iou, written_scores.num_parts(occupied)])
    return np.array(by_threshold), np.array(written)


def table(examples: list[pix3d.Example], scores: np.ndarray) -> list[str]:
    """Return the lines of a table of the scores [masks, 5]: of all masks, and by their cameras."""
    elevation = np.array([each.elevation for each in examples])
    roll = np.abs([each.roll for each in examples])
    groups = {
        "all": np.ones(len(examples), bool),
        "elevation under 15°": elevation < 15,
        "elevation 15 to 25°": (elevation >= 15) & (elevation < 25),
        "elevation 25 to 40°": (elevation >= 25) & (elevation < 40),
        "elevation over 40°": elevation >= 40,
        "roll under 3°": roll < 3,
        "roll 3 to 8°": (roll >= 3) & (roll < 8),
        "roll over 8°": roll >= 8,
    }
    lines = [f"{'':22}{'masks':>6}" + "".join(f"{name:>16}" for name in _NAMES)]
    for name, chosen in groups.items():
        count = chosen.sum()
        if count:
            means, errors = scores[chosen].mean(0), scores[chosen].std(0) / count**0.5
            cells = [f"{m:.3f} ± {e:.3f}" for m, e in zip(means, errors, strict=True)]
            lines.append(f"{name:22}{count:6}" + "".join(f"{cell:>16}" for cell in cells))
    return lines


def draw(reconstructor: Reconstructor, examples: list[pix3d.Example]) -> np.ndarray:
    """Draw the masks, the shapes as they are written, and the true shapes, from where V looks."""
    networks = reconstructor.networks
    masks = read_masks(reconstructor, examples)
    shapes, viewpoints = predictions.predict_shapes(
        networks, masks[:, None], reconstructor.threshold
    )
    rows = []
    for mask, shape, (viewpoint,), example in zip(masks, shapes, viewpoints, examples, strict=True):
        truth = pix3d.read_voxels(example.voxels)
        row = [sheets.mask_picture(mask)]
        for view in (tuple(viewpoint[:2]), shading.VIEWPOINTS[0]):
            for occupied, color in (
                (shape.occupied, sheets.PREDICTED_COLOR),
                (truth, sheets.TRUE_COLOR),
            ):
                half_width = shading.bounding_radius(occupied)
                row.append(shading.shade_voxels(occupied, view, 128, color, half_width))
        rows.append(row)
    return sheets.grid(
        rows, ["mask", "predicted, as seen", "true", "predicted, from aside", "true"]
    )


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("pix3d", None, "Folder of the download, with pix3d.json.")
    absl_flags.DEFINE_string(
        "model", None, "Workdir, checkpoint or SavedModel; by default the model of the package."
    )
    absl_flags.DEFINE_string("category", "chair", "Category of Pix3D.")
    absl_flags.DEFINE_string("output", None, "The PNG to write, if any.")
    absl_flags.DEFINE_integer("count", 8, "Shapes to draw.", lower_bound=1)
    flags.keep_local("pix3d", "model", "output")
    flags.require("pix3d", "FOLDER")


def main() -> None:
    """Parse flags, print the scores and draw the sheet."""
    examples = pix3d.list_examples(FLAGS.pix3d, FLAGS.category)
    if FLAGS.category == "chair" and len(examples) != pix3d.NUM_OFFICIAL:
        print(f"{len(examples)} chairs, not the {pix3d.NUM_OFFICIAL} that published scores use")
    reconstructor = reconstruction.load_model(FLAGS.model)
    by_threshold, written = score(reconstructor, examples)
    best = by_threshold.mean(axis=0).argmax()
    scores = np.concatenate([by_threshold[:, best : best + 1], written], axis=1)
    print(f"the protocol's best threshold is {pix3d.THRESHOLDS[best]:.2f}")
    print(*table(examples, scores), sep="\n")
    if FLAGS.output:
        spread = np.linspace(0, len(examples) - 1, min(FLAGS.count, len(examples))).astype(int)
        sheets.save_png(FLAGS.output, draw(reconstructor, [examples[i] for i in spread]))


if __name__ == "__main__":
    cli.run(main, define_flags)
