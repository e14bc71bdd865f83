"""How well networks estimate from where masks were seen, and what that costs.

A mirror-symmetric shape has nearly the same silhouette from azimuth and elevation (a, e) and from
(180° − a, −e), its twin here; to an orthographic camera, exactly the same.
"""

import numpy as np
import tqdm

from ptn_semi.data.splits import Shapes
from ptn_semi.evaluation import metrics
from ptn_semi.models.networks import Networks
from ptn_semi.projection import resolutions

_BATCH = 32
_MAX_VIEWS = 4  # of a shape
NEAR = 15  # degrees


def azimuth_errors(estimated: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far azimuths are off, and how far from the nearer of the true one and its twin.

    Takes and returns degrees, [B] each.
    """
    apart = lambda a, b: np.abs((a - b + 180) % 360 - 180)
    errors = apart(estimated, true)
    return errors, np.minimum(errors, apart(estimated, 180 - true))


def score_viewpoints(
    networks: Networks, shapes: Shapes, num_views: int | None = None, progress: bool = False
) -> dict[str, float]:
    """Score the viewpoints that networks with R estimate, on the first views of shapes.

    Args:
      networks: the networks.
      shapes: shapes with voxels.
      num_views: number of views of each shape, from the first; at most and by default 4.
      progress: show a progress bar.

    Returns:
      The share of azimuths within 15° ("azimuth_within_15") and within 15° of the true one or its
      twin ("azimuth_within_15_of_twins"), the AP ("average_precision"), and the AP if the true
      viewpoints were known ("average_precision_of_true_viewpoints"), each a mean over all views.
    """
    total = min(num_views or _MAX_VIEWS, _MAX_VIEWS, shapes.masks.shape[1])
    pairs = np.array(list(np.ndindex(len(shapes), total)))
    rows = []
    starts = range(0, len(pairs), _BATCH)
    for start in tqdm.tqdm(starts, desc="viewpoints", unit=" batches", disable=not progress):
        index, view = pairs[start : start + _BATCH].T
        masks = shapes.unpack_masks(index, view)[:, None]
        true = shapes.viewpoints[index, view][:, None, : networks.settings.views.num_values]
        voxels, estimated = networks.predict_views(masks)
        assert estimated is not None, "the networks have no R"
        known, _ = networks.predict_views(masks, true)
        truth = shapes.unpack_voxels(index)
        errors = azimuth_errors(estimated[:, 0, 1], true[:, 0, 1])
        aps = [
            metrics.average_precision(resolutions.repeated_voxels(each, shapes.voxel_size), truth)
            for each in (voxels, known)
        ]
        rows.append(np.stack([errors[0] < NEAR, errors[1] < NEAR, *aps], axis=1))
    names = (
        "azimuth_within_15",
        "azimuth_within_15_of_twins",
        "average_precision",
        "average_precision_of_true_viewpoints",
    )
    means = np.concatenate(rows).mean(axis=0)
    return dict(zip(names, map(float, means), strict=True))


def describe(scores: dict[str, float]) -> str:
    """Say the scores of `score_viewpoints` in a sentence."""
    near, twins, estimated, known = scores.values()
    return (
        f"viewpoints: the azimuth is within {NEAR}° for {near:.0%} of the masks, and of the true "
        f"one or its twin for {twins:.0%}; AP {estimated:.3f}, with the true viewpoints {known:.3f}"
    )
