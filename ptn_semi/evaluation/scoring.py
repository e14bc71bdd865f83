"""Scores of predictions for the views of shapes whose voxels are known."""

from collections.abc import Callable

import numpy as np
import tqdm

from ptn_semi.data.splits import Shapes
from ptn_semi.evaluation import metrics
from ptn_semi.models.networks import Networks
from ptn_semi.projection import geometry, resolutions

_VOXELS_PER_PASS = 64 * 32**3  # of the networks; no effect on the scores
_TURNS = range(0, 360, 10)  # degrees

# Maps indices of shapes [b] and of their views [b] to voxels [b, N, N, N].
Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


def score_predictions(
    predict: Predict,
    shapes: Shapes,
    num_views: int | None,
    batch_size: int = 64,
    progress: bool = False,
    keep: Callable[[np.ndarray, np.ndarray, np.ndarray], None] | None = None,
) -> metrics.Scores:
    """Score the predictions for the first views of shapes by `metrics.ReconstructionScores`.

    Args:
      predict: called with indices of shapes [b] and of views [b]; returns their voxels.
      shapes: shapes with voxels.
      num_views: number of views of each shape, from the first; None for all.
      batch_size: number of predictions at a time; no effect on the scores.
      progress: show a progress bar.
      keep: called with the indices and voxels of every batch.
    """
    scores = metrics.ReconstructionScores()
    total = shapes.masks.shape[1]
    pairs = np.array(list(np.ndindex(len(shapes), min(num_views or total, total))))
    starts = range(0, len(pairs), batch_size)
    for start in tqdm.tqdm(starts, desc="evaluating", unit=" batches", disable=not progress):
        index, view = pairs[start : start + batch_size].T
        voxels = predict(index, view)
        scores.add(
            voxels, shapes.unpack_voxels(index), shapes.categories[index], shapes.model_ids[index]
        )
        if keep is not None:
            keep(index, view, voxels)
    return scores.result()


def score_networks(
    networks: Networks,
    shapes: Shapes,
    num_views: int | None = None,
    turn: float = 0,
    progress: bool = False,
    keep: Callable[[np.ndarray, np.ndarray, np.ndarray], None] | None = None,
) -> metrics.Scores:
    """Score networks on some shapes.

    Args:
      networks: the networks. Voxels that are coarser than the shapes' are repeated.
      shapes: shapes with voxels.
      turn: angle in degrees to turn every prediction by; see `geometry.turn_voxels`.
      num_views, progress, keep: see `score_predictions`.
    """

    def predict(index, view):
        voxels = networks.predict(shapes.unpack_masks(index, view))
        voxels = geometry.turn_voxels(voxels, turn)
        return resolutions.repeated_voxels(voxels, shapes.voxel_size)

    return score_predictions(
        predict,
        shapes,
        num_views,
        batch_size=_VOXELS_PER_PASS // networks.settings.voxel_size**3,
        progress=progress,
        keep=keep,
    )


def best_turn(networks: Networks, shapes: Shapes) -> int:
    """Find the one turn of all predictions that gives the best AP over the shapes' first views.

    A model that was trained without viewpoints chooses its own front; the turn corrects for that.

    Returns:
      The turn about the vertical axis in degrees, a multiple of 10; see `geometry.turn_voxels`.
    """
    predictions: list[tuple[np.ndarray, np.ndarray]] = []
    keep = lambda index, _, voxels: predictions.append((index, voxels))
    score_networks(networks, shapes, num_views=1, keep=keep)

    def mean_precision(turn):
        scores = []
        for index, voxels in predictions:
            turned = geometry.turn_voxels(voxels, turn)
            scores.append(metrics.average_precision(turned, shapes.unpack_voxels(index)))
        return np.concatenate(scores).mean()

    return max(_TURNS, key=mean_precision)
