"""Shapes that networks predict, as they are written and scored."""

import numpy as np

from ptn_semi.models import losses, mask_batches
from ptn_semi.models.networks import Networks
from ptn_semi.projection import resolutions
from ptn_semi.shapes import fits, whole
from ptn_semi.shapes.whole import Shape

_MIN_PROBABILITY = 0.01  # of a pixel, so that a single wrong one does not decide


def predict_shapes(
    networks: Networks, masks: np.ndarray, threshold: float
) -> tuple[list[Shape], np.ndarray]:
    """Predict the whole shapes of objects from K views of each.

    Args:
      networks: the networks.
      masks: [B, K, S, S, 1] of any type, in [0, 1].
      threshold: the model's.

    Returns:
      B shapes, and the viewpoints [B, K, 2 or 7], see `geometry`, that the networks estimate, or
      else those from which the shapes fit best.

    Raises:
      ValueError: if the masks have another shape, there are none, or they hold other numbers.
    """
    masks = mask_batches.check_views(masks, networks.settings.image_size)
    voxels, viewpoints = networks.predict_views(masks)
    if viewpoints is None:
        objects = zip(voxels, masks, strict=True)
        fitting = [fitting_viewpoints(networks, *each, threshold) for each in objects]
        viewpoints = np.stack(fitting)
    seen = zip(voxels, masks, viewpoints, strict=True)
    return [whole_shape(networks, *each, threshold) for each in seen], viewpoints


def best_explained(networks: Networks, masks: np.ndarray) -> int:
    """Find which of some masks networks with R explain best, such as those of several framings.

    Args:
      networks: the networks.
      masks: [B, S, S, 1] in [0, 1].

    Returns:
      The index of the mask with the least cross-entropy between it and the projection of its own
      reconstruction, per pixel of the object.
    """
    voxels, viewpoints = networks.predict_views(masks[:, None])
    assert viewpoints is not None, "the networks have no R"
    projector = networks.projector
    coarse = resolutions.coarse_voxels(voxels, networks.settings.generated_size)
    seen = projector([coarse, viewpoints[:, 0]])
    averaged = resolutions.coarse_masks(masks, projector.image_size)
    errors = losses.cross_entropy(seen, averaged, _MIN_PROBABILITY)
    return int(np.argmin(np.sum(errors, (1, 2, 3)) / np.sum(averaged, (1, 2, 3)).clip(1)))


def whole_shape(
    networks: Networks,
    voxels: np.ndarray,
    masks: np.ndarray,
    viewpoints: np.ndarray,
    threshold: float,
    lowest: float = whole.LOWEST,
) -> Shape:
    """Make the whole shape of an object that these networks predicted; see `whole.whole_shape`.

    Args:
      networks: the networks.
      voxels: probabilities, float32 [N, N, N].
      masks: [K, S, S, 1], the views of the object.
      viewpoints: [K, 2 or 7]; see `geometry`.
      threshold: the model's.
      lowest: the lowest threshold to use.
    """
    return whole.whole_shape(
        voxels,
        masks,
        viewpoints,
        networks.render_projector,
        threshold,
        lowest,
        networks.settings.mirror_symmetric,
    )


def fitting_viewpoints(
    networks: Networks, voxels: np.ndarray, masks: np.ndarray, threshold: float
) -> np.ndarray:
    """Find from where an object fits its masks best, for networks that estimate no viewpoints.

    Takes what `whole_shape` takes, and returns [K, 2 or 7].
    """
    occupied = whole.threshold_shape(voxels, threshold).occupied
    projector, ranges = networks.render_projector, networks.settings.views
    return np.stack([fits.search(occupied, mask, projector, ranges).viewpoint for mask in masks])
