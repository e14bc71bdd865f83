"""Baselines that a model has to beat: predictions that need no training.

  mean_hull: the mean of the labeled shapes' visual hulls, whatever the mask.
  nearest: the mean hull of the few labeled masks that overlap most with the mask.
  mean_shape: an oracle. The mean of the true voxels of all training shapes, which nobody has who
    has viewpoints of a few shapes only.

The first two know what a training with the same labels knows: `labeled`, indices of labeled
training shapes, and `hulls`, theirs, uint8 [labeled, N, N, N] in [0, 255]. Where a category has no
labeled shape, those of the other categories are used. `shapes` are scored, and have voxels. All
return rows as `metrics.ReconstructionScores.result`.
"""

from collections.abc import Callable

import numpy as np

from ptn_semi.data.splits import Shapes
from ptn_semi.evaluation import metrics, scoring

_BATCH = 64  # shapes averaged at a time
_NEAREST = 5  # labeled masks


def score_mean_shape(train: Shapes, shapes: Shapes) -> metrics.Scores:
    """Score the mean of each category's training shapes. Every shape counts once."""
    return _score_constant(lambda category: mean_shape(train, category), shapes)


def score_mean_hull(
    train: Shapes, labeled: np.ndarray, hulls: np.ndarray, shapes: Shapes
) -> metrics.Scores:
    """Score the mean hull of each category's labeled shapes. Every shape counts once."""
    mean = lambda category: _mean(hulls[_of_category(train, labeled, category)])
    return _score_constant(mean, shapes)


def score_nearest(
    train: Shapes,
    labeled: np.ndarray,
    labeled_views: int,
    hulls: np.ndarray,
    shapes: Shapes,
    num_views: int | None,
) -> metrics.Scores:
    """Score the mean hull of the labeled masks with the highest IoU with each mask.

    The first `num_views` views of each shape, or all, are compared with the first `labeled_views`
    of labeled shapes.
    """
    views = np.arange(min(labeled_views, train.masks.shape[1]))
    known = {}
    for category in np.unique(shapes.categories):
        chosen = _of_category(train, labeled, category)
        masks = train.unpack_masks(labeled[chosen][:, None], views)
        known[category] = np.repeat(chosen, len(views)), _rows(masks)

    def predict(index, view):
        voxels = np.empty((len(index), *hulls.shape[1:]), np.float32)
        masks = _rows(shapes.unpack_masks(index, view))
        for category in np.unique(shapes.categories[index]):
            here = np.flatnonzero(shapes.categories[index] == category)
            owners, others = known[category]
            overlap = masks[here] @ others.T
            union = masks[here].sum(1)[:, None] + others.sum(1) - overlap
            best = np.argsort(-overlap / union, axis=1, kind="stable")[:, :_NEAREST]
            for row, nearest in zip(here, owners[best], strict=True):
                voxels[row] = _mean(hulls[nearest])
        return voxels

    return scoring.score_predictions(predict, shapes, num_views)


def mean_shape(train: Shapes, category: str) -> np.ndarray:
    """Compute the share, float32 [N, N, N], of a category's shapes that occupy each voxel."""
    chosen = np.flatnonzero(train.categories == category)
    total = np.zeros((train.voxel_size,) * 3)
    for start in range(0, len(chosen), _BATCH):
        total += train.unpack_voxels(chosen[start : start + _BATCH]).sum(axis=0)
    return (total / len(chosen)).astype(np.float32)


def _of_category(train, labeled, category):
    """Return which of the labeled shapes have the category; all of them if none has."""
    chosen = np.flatnonzero(train.categories[labeled] == category)
    return chosen if len(chosen) else np.arange(len(labeled))


def _mean(hulls):
    return hulls.mean(axis=0, dtype=np.float32) / 255


def _score_constant(mean: Callable[[str], np.ndarray], shapes: Shapes) -> metrics.Scores:
    """Score the same voxels for every shape of a category. Every shape counts once."""
    means = {category: mean(category) for category in np.unique(shapes.categories)}

    def predict(index, _):
        return np.stack([means[category] for category in shapes.categories[index]])

    return scoring.score_predictions(predict, shapes, num_views=1)


def _rows(masks):
    """Flatten masks [..., S, S, 1] to rows [n, S²]."""
    return masks.reshape(-1, masks.shape[-2] ** 2)
