"""Scores of shapes as they are written, which AP does not see: occupied voxels, not probabilities.

Each shape is reconstructed from one of its views, another one for each shape in turn; from several
where there are few shapes.
"""

import collections

import numpy as np
import tqdm
from scipy import ndimage

from ptn_semi.data.splits import Shapes
from ptn_semi.evaluation.metrics import WRITTEN
from ptn_semi.models.networks import Networks
from ptn_semi.projection import geometry, resolutions
from ptn_semi.shapes import fits, predictions

_BATCH = 32
_MAX_VIEWS = 4  # of a shape


def score_written(
    networks: Networks,
    shapes: Shapes,
    threshold: float,
    num_examples: int,
    turn: float = 0,
    progress: bool = False,
) -> dict[str, dict[str, float]]:
    """Score the whole shapes that networks predict.

    Args:
      networks: the networks. Voxels that are coarser than the shapes' are repeated.
      shapes: shapes with voxels.
      threshold: the model's.
      num_examples: about how many examples to score: shapes spread evenly over the split, and up
        to four views of each if there are fewer.
      turn: angle in degrees to turn every prediction by; see `geometry.turn_voxels`.
      progress: show a progress bar.

    Returns:
      {category: {metric: value}}, with the metrics of `metrics.WRITTEN`: means over the category's
      examples, and the row "mean", their mean over categories.
    """
    index, total = shapes.spread(num_examples), shapes.masks.shape[1]
    repeats = min(max(1, num_examples // len(index)), total, _MAX_VIEWS)
    views = (index[:, None] + np.arange(repeats) * (total // repeats)).ravel() % total
    index = np.repeat(index, repeats)
    rows: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    starts = range(0, len(index), _BATCH)
    for start in tqdm.tqdm(starts, desc="shapes", unit=" batches", disable=not progress):
        chosen = index[start : start + _BATCH]
        masks = shapes.unpack_masks(chosen, views[start : start + _BATCH])
        predicted, viewpoints = predictions.predict_shapes(networks, masks[:, None], threshold)
        for number, truth in enumerate(shapes.unpack_voxels(chosen)):
            occupied = predicted[number].occupied
            fit = fits.measure(
                occupied, masks[number], networks.render_projector, viewpoints[number, 0]
            )
            occupied = geometry.turn_voxels(occupied[None].astype(np.float32), turn)
            (occupied,) = resolutions.repeated_voxels(occupied > 0.5, len(truth))
            scores = *shape_scores(occupied, truth), fit.iou, num_parts(occupied)
            rows[str(shapes.categories[chosen[number]])].append(np.array(scores))
    means = {name: np.mean(rows[name], axis=0) for name in sorted(rows)}
    means["mean"] = np.mean(list(means.values()), axis=0)
    return {name: dict(zip(WRITTEN, map(float, mean), strict=True)) for name, mean in means.items()}


def shape_scores(occupied: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the IoU and the F1 score of a shape with the true one, both bool [N, N, N].

    For F1, a voxel counts as right if the other shape occupies it or one that shares a face with
    it. Precision is the share of right voxels of the shape, and recall that of the true one.
    """
    if not occupied.any():
        return 0.0, 0.0
    iou = (occupied & truth).sum() / (occupied | truth).sum()
    precision = (occupied & ndimage.binary_dilation(truth)).sum() / occupied.sum()
    recall = (truth & ndimage.binary_dilation(occupied)).sum() / truth.sum()
    return float(iou), float(2 * precision * recall / max(precision + recall, 1e-9))


def num_parts(occupied: np.ndarray) -> int:
    """Count the components of a shape; voxels that touch at a corner are connected."""
    return int(ndimage.label(occupied, np.ones((3, 3, 3)))[1])
