"""Scores of a model on a split, beside the honest floor: the mean training shape."""

import json
import os
import pathlib
import re

import numpy as np

from ptn_semi.data import preparation, splits
from ptn_semi.evaluation import metrics
from ptn_semi.models import checkpoints
from ptn_semi.models.predictor import Predictor
from ptn_semi.projection import geometry
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets

_NUM_PICTURES = 8
_BATCH = 64  # shapes at once; no effect on the scores
_TURNS = range(0, 360, 10)  # degrees


def best_turn(predictor, shapes):
    """The turn of all predictions, in degrees, that gives the best AP over the shapes' first views.

    A model that never saw a viewpoint has a front of its own, which this finds.
    """
    batches = list(predictor.batches(shapes, 1))

    def mean_precision(turn):
        scores = [
            metrics.average_precision(
                geometry.turn_voxels(voxels, turn), shapes.unpack_voxels(index)
            )
            for index, _, voxels in batches
        ]
        return np.concatenate(scores).mean()

    return max(_TURNS, key=mean_precision)


def score_model(predictor, shapes, num_views=None, progress=False, keep=None):
    """Scores of the model: the rows of `metrics.ReconstructionScores.result`.

    Args:
      predictor: a `Predictor`.
      shapes: `splits.Shapes` with voxels.
      num_views: how many views of each shape are inputs; None for all.
      progress: show a bar.
      keep: called with (shape indices, view indices, voxels) of every batch, if given.
    """
    scores = metrics.ReconstructionScores()
    num_views = min(num_views or shapes.masks.shape[1], shapes.masks.shape[1])
    for index, view, voxels in predictor.batches(shapes, num_views, progress):
        scores.add(
            voxels, shapes.unpack_voxels(index), shapes.categories[index], shapes.model_ids[index]
        )
        if keep is not None:
            keep(index, view, voxels)
    return scores.result()


def score_mean_shape(train, shapes):
    """Scores of the mean training shape of each category as a constant prediction.

    A model at this level has learnt nothing that depends on the mask. Counted once per shape.

    Args:
      train: `splits.Shapes` with voxels, whose categories include those of `shapes`.
      shapes: the split that is scored, with voxels.
    """
    scores = metrics.ReconstructionScores()
    for category in np.unique(shapes.categories):
        chosen = np.flatnonzero(shapes.categories == category)
        mean = mean_shape(train, category)
        for start in range(0, len(chosen), _BATCH):
            index = chosen[start : start + _BATCH]
            constant = np.broadcast_to(mean, (len(index), *mean.shape))
            scores.add(
                constant,
                shapes.unpack_voxels(index),
                shapes.categories[index],
                shapes.model_ids[index],
            )
    return scores.result()


def mean_shape(train, category):
    """Share of a category's training shapes that occupy each voxel, float32 [N, N, N]."""
    chosen = np.flatnonzero(train.categories == category)
    total = np.zeros((train.voxel_size,) * 3)
    for start in range(0, len(chosen), _BATCH):
        total += train.unpack_voxels(chosen[start : start + _BATCH]).sum(axis=0)
    return (total / len(chosen)).astype(np.float32)


def table(rows_by_model):
    """A text table of `{"model": rows, "mean_shape": rows}`."""
    columns = {
        "average_precision": "AP",
        "max_iou_of_mean": "MaxIoU(mean)",
        "max_iou_per_shape": "MaxIoU(each)",
        "iou_0.4": "IoU@.4",
        "iou_0.5": "IoU@.5",
        "num_shapes": "shapes",
        "num_views": "views",
    }
    lines = [f"{'':12}{'':16}" + "".join(f"{title:>14}" for title in columns.values())]
    for name, rows in rows_by_model.items():
        for category, row in rows.items():
            cells = [
                f"{row[key]:.3f}" if isinstance(row[key], float) else row[key] for key in columns
            ]
            lines.append(f"{name:12}{category:16}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def evaluate_workdir(
    workdir,
    data,
    split,
    which="best",
    num_views=None,
    global_turn=False,
    output=None,
    save_predictions=None,
):
    """Scores one checkpoint of a run on a split, beside the mean shape; writes JSON and a picture.

    Args:
      workdir: folder of the run.
      data: `DataSettings` of the data set to score on.
      split: a TFDS split expression.
      which: "best" by validation AP, or "last".
      num_views: views of each shape that are inputs; None for all.
      global_turn: turn all predictions by `best_turn` of the validation split.
      output: JSON file of the scores; None for `eval_<split>.json` in the workdir.
      save_predictions: NPZ file for model_ids, categories, views, viewpoints and probabilities.

    Returns:
      {"checkpoint", "step", "split", "turn", "rows": {"model": rows, "mean_shape": rows}}, as the
      JSON.
    """
    checkpoint = checkpoints.find(workdir, which)
    model = checkpoints.load_model(checkpoint)
    for name in ("voxel_size", "image_size"):
        if getattr(model, name) != getattr(data, name):
            raise UserError(
                f"{checkpoint.path} was trained with --{name}={getattr(model, name)}: leave out "
                f"--{name}={getattr(data, name)}"
            )
    builder = preparation.prepare(data)
    shapes = splits.load(builder, split, with_voxels=True)
    train = splits.load(builder, "train", with_voxels=True)
    splits.check_categories(builder, {split: shapes, "train": train}, complete=("train",))
    stem = pathlib.Path(workdir) / ("eval_" + re.sub(r"[^\w+-]+", "_", split).strip("_"))
    output = pathlib.Path(output) if output else stem.with_suffix(".json")
    kept = []
    keep = lambda *batch: kept.append((*batch[:2], batch[2].astype(np.float16)))
    predictor = Predictor(model)
    if global_turn:
        validation = splits.load(builder, "validation", with_voxels=True)
        predictor = Predictor(model, best_turn(predictor, validation))
        print(f"all reconstructions are turned by {predictor.turn}°")
    rows = score_model(
        predictor, shapes, num_views, progress=True, keep=keep if save_predictions else None
    )
    scores = {
        "checkpoint": os.fspath(checkpoint.path),
        "step": checkpoint.step,
        "split": split,
        "turn": predictor.turn,
        "rows": {"model": rows, "mean_shape": score_mean_shape(train, shapes)},
    }
    with files.replacing(output) as partial:
        partial.write_text(json.dumps(scores, indent=1) + "\n")
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
    sheet = _sheet(predictor, shapes, rows["mean"]["best_threshold"])
    sheets.save_png(output.with_suffix(".png"), sheet)
    return scores


def _sheet(predictor, shapes, threshold):
    """Reconstructions of shapes spread evenly over the split, so that none is picked."""
    index = np.linspace(0, len(shapes) - 1, min(_NUM_PICTURES, len(shapes))).astype(int)
    masks = shapes.unpack_masks(index, 0)
    return sheets.reconstruction_sheet(
        masks,
        predictor(masks),
        shapes.unpack_voxels(index),
        threshold,
        row_titles=shapes.categories[index],
    )
