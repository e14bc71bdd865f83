"""Scores of a run on a split, next to those of the baselines that it has to beat."""

import json
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ptn_semi.data import preparation, splits
from ptn_semi.data.hulls import labeled_hulls
from ptn_semi.data.supervision import labeled_subset
from ptn_semi.evaluation import baselines, metrics, scoring, viewpoint_scores, written_scores
from ptn_semi.models import checkpoints
from ptn_semi.models.networks import Networks
from ptn_semi.projection import geometry
from ptn_semi.settings import DataSettings, TrainSettings
from ptn_semi.shapes import predictions
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets

_NUM_PICTURES = 8
_MIN_WRITTEN = 128  # examples that are scored as they are written
_LEGEND = {
    "mean_hull": "mean visual hull of the labeled shapes, whatever the mask.",
    "nearest": "mean hull of the 5 labeled masks that are most like the mask.",
    "mean_shape": "an oracle, the mean of the true voxels of all training shapes.",
}


def evaluate_workdir(
    workdir: str | os.PathLike,
    data: DataSettings,
    train: TrainSettings,
    split: str,
    which: str = "best",
    num_views: int | None = None,
    global_turn: bool = False,
    output: str | os.PathLike | None = None,
    save_predictions: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Score a checkpoint of a run and the `baselines` on a split; write JSON and a picture.

    Prints which files it wrote.

    Args:
      data: the data set to score on.
      train: settings of the run, which say what the baselines may know: the shapes of this data set
        that such a run would have as labeled, and their views.
      split: a TFDS split expression.
      which: "best" by validation AP, or "last".
      num_views: number of views of each shape that are inputs; None for all.
      global_turn: turn all predictions by the `best_turn` of the validation split.
      output: JSON file of the scores; None for `eval_<split>.json` in the workdir. The picture is
        written next to it.
      save_predictions: NPZ file for model_ids, categories, views, viewpoints and probabilities;
        None to write none.

    Returns:
      {"checkpoint", "step", "split", "turn", "rows"}, as in the JSON file. "rows" has the scores of
      "model", "mean_shape" and, for a run with labels, "mean_hull" and "nearest". Those of "model"
      also have the scores of `written_scores`. For a model with R whose predictions are not turned,
      "viewpoints" has those of `viewpoint_scores`.

    Raises:
      UserError: if the checkpoint or the data set cannot be used, they differ in size, or a file
        cannot be written.
    """
    checkpoint = checkpoints.find(workdir, which)
    model = checkpoint.info.settings
    if data.voxel_size % model.voxel_size:
        raise UserError(
            f"{checkpoint.path} reconstructs {model.voxel_size}³ voxels, which "
            f"--voxel_size={data.voxel_size} cannot score: give --voxel_size={model.voxel_size}"
        )
    if data.image_size != model.image_size:
        raise UserError(
            f"{checkpoint.path} was trained with --image_size={model.image_size}: leave out "
            f"--image_size={data.image_size}"
        )
    networks = checkpoints.load_networks(checkpoint)
    builder = preparation.prepare(data)
    shapes = splits.load(builder, split, with_voxels=True)
    known = splits.load(builder, "train", with_voxels=True)
    splits.check_categories(builder, "train", known, shapes.categories)
    stem = pathlib.Path(workdir) / ("eval_" + re.sub(r"[^\w+-]+", "_", split).strip("_"))
    output = pathlib.Path(output) if output else stem.with_suffix(".json")
    turn = 0
    if global_turn:
        validation = splits.load(builder, "validation", with_voxels=True)
        turn = scoring.best_turn(networks, validation)
        print(f"all reconstructions are turned by {turn}°")
    kept = []
    keep = lambda *batch: kept.append((*batch[:2], batch[2].astype(np.float16)))
    rows = scoring.score_networks(
        networks, shapes, num_views, turn, progress=True, keep=keep if save_predictions else None
    )
    examples = max(len(shapes), _MIN_WRITTEN)
    written = written_scores.score_written(
        networks, shapes, checkpoint.info.threshold, examples, turn=turn, progress=True
    )
    for category, row in rows.items():
        row.update(written[category])
    scores = {
        "checkpoint": os.fspath(checkpoint.path),
        "step": checkpoint.info.step,
        "split": split,
        "turn": turn,
        "rows": {"model": rows, **_score_baselines(data, known, train, shapes, num_views)},
    }
    if model.has_refiner and not global_turn:
        scores["viewpoints"] = viewpoint_scores.score_viewpoints(
            networks, shapes, num_views, progress=True
        )
    with files.replacing(output) as partial:
        partial.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    if save_predictions:
        index, view, voxels = (np.concatenate(column) for column in zip(*kept, strict=True))
        with files.replacing(save_predictions) as partial, open(partial, "wb") as file:
            np.savez_compressed(
                file,
                model_ids=shapes.model_ids[index],
                categories=shapes.categories[index],
                views=view,
                viewpoints=shapes.viewpoints[index, view],
                probabilities=voxels,
            )
    sheet = _sheet(networks, shapes, turn, checkpoint.info.threshold)
    picture = output.with_suffix(".png")
    sheets.save_png(picture, sheet)
    written_files = [output, picture, *([save_predictions] if save_predictions else [])]
    print(f"written: {', '.join(map(str, written_files))}")
    return scores


def _score_baselines(data, known, train, shapes, num_views):
    """Score the baselines that know of the training shapes what such a run would."""
    oracle = {"mean_shape": baselines.score_mean_shape(known, shapes)}
    if not train.knows_viewpoints:
        return oracle
    labeled = labeled_subset(known.model_ids, known.categories, train.pose_fraction, train.seed)
    hulls = labeled_hulls(
        known, labeled, train.labeled_views, data.camera, known.voxel_size, train.correct_hulls
    )
    return {
        "mean_hull": baselines.score_mean_hull(known, labeled, hulls, shapes),
        "nearest": baselines.score_nearest(
            known, labeled, train.labeled_views, hulls, shapes, num_views
        ),
        **oracle,
    }


def _sheet(networks: Networks, shapes: splits.Shapes, turn: float, threshold: float) -> np.ndarray:
    """Draw reconstructions of shapes spread evenly over the split."""
    index = shapes.spread(_NUM_PICTURES)
    masks = shapes.unpack_masks(index, 0)
    predicted, _ = predictions.predict_shapes(networks, masks[:, None], threshold)
    occupied = np.stack([shape.occupied for shape in predicted]).astype(np.float32)
    return sheets.reconstruction_sheet(
        masks,
        list(geometry.turn_voxels(occupied, turn) > 0.5),
        shapes.unpack_voxels(index),
        row_titles=shapes.categories[index],
    )


def table(rows_by_model: Mapping[str, metrics.Scores]) -> str:
    """Format the "rows" of `evaluate_workdir` as a text table."""
    columns = {
        "average_precision": "AP",
        "max_iou_of_mean": "MaxIoU(mean)",
        "max_iou_per_shape": "MaxIoU(each)",
        "iou_0.4": "IoU@.4",
        "iou_0.5": "IoU@.5",
        **metrics.WRITTEN,
        "num_shapes": "shapes",
        "num_views": "views",
    }
    widths = [max(8, len(title) + 2) for title in columns.values()]

    def line(name, category, cells):
        aligned = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"{name:12}{category:16}{''.join(aligned)}"

    lines = [line("", "", columns.values())]
    for name, rows in rows_by_model.items():
        for category, row in rows.items():
            values = [row.get(key, "-") for key in columns]
            cells = [f"{value:.3f}" if isinstance(value, float) else value for value in values]
            lines.append(line(name, category, cells))
    legend = [f"{name}: {text}" for name, text in _LEGEND.items() if name in rows_by_model]
    if "model" in rows_by_model:
        legend.append("IoU, F1, mask IoU and parts: of the shapes as written (docs/scores.md).")
    return "\n".join([*lines, *legend])
