"""What a run learns from: its training shapes, which of them are labeled, and how they vary."""

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from ptn_semi.data import diversity, hulls, procedural_shapes
from ptn_semi.data.splits import Shapes
from ptn_semi.settings import DataSettings, TrainSettings


@dataclasses.dataclass(frozen=True)
class Supervision:
    """What a run learns from.

    Attributes:
      shapes: the training shapes, without voxels: those of the data set, then procedural ones.
      num_own: how many of them are the data set's. Unlabeled masks are drawn from these only.
      labeled: sorted indices of the shapes whose viewpoints are used, int [labeled].
      labeled_views: number of views of a labeled shape that are used, from the first.
      occupancy: the visual hulls or voxels of the labeled shapes; None if the losses do not use
        them.
      warp_strengths: how far each of them is warped, float32 [labeled]; see `warps.random_warp`.
      may_mirror: which shapes are shown as their mirror images too, bool [shapes].
      symmetric: whether all shapes are mirrored, and the labeled ones of each category are nearly
        their own mirror images.
      images: packed masks of images, uint8 [images, ceil(S²/8)], to draw unlabeled masks from; None
        for those of the shapes alone.
      images_share: share of the unlabeled masks that are drawn from the images.
    """

    shapes: Shapes
    num_own: int
    labeled: np.ndarray
    labeled_views: int
    occupancy: hulls.Occupancy | None
    warp_strengths: np.ndarray
    may_mirror: np.ndarray
    symmetric: bool
    images: np.ndarray | None = None
    images_share: float = 1.0


def make(
    shapes: Shapes, data: DataSettings, train: TrainSettings, images: np.ndarray | None = None
) -> Supervision:
    """Choose the labeled shapes of a run, carve their hulls, and choose how shapes are varied.

    `images` are masks of images, [M, S, S, 1], to draw unlabeled masks from.

    Raises:
      UserError: if procedural shapes cannot be added.
    """
    labeled = labeled_subset(shapes.model_ids, shapes.categories, train.pose_fraction, train.seed)
    if train.procedural_shapes and not train.knows_viewpoints:
        labeled = labeled[:0]
    print(f"{len(shapes)} training shapes, {len(labeled)} of them with viewpoints")
    uses_hulls = train.losses.uses_hulls
    # The shapes whose hulls are carved. Hulls decide on mirror images and warps too, so a few are
    # carved where the losses use none, and none only where nothing is mirrored.
    known = labeled if uses_hulls else diversity.some_of_each(shapes.categories, labeled)
    if not uses_hulls and not (train.mirror_views and train.supervision != "unlabeled"):
        known = known[:0]
    voxel_size = train.model_voxel_size or data.voxel_size
    carved = hulls.labeled_hulls(
        shapes, known, train.labeled_views, data.camera, voxel_size, train.correct_hulls, uses_hulls
    )
    occupancy = hulls.of_hulls(carved)
    num_own = len(shapes)
    if train.procedural_shapes:
        added = procedural_shapes.load(data, shapes.categories, train.procedural_shapes)
        print(f"{len(added)} procedural shapes: {', '.join(np.unique(added.categories))}")
        shapes = procedural_shapes.join(shapes, added)
        indices = np.arange(num_own, len(shapes))
        labeled, known = np.append(labeled, indices), np.append(known, indices)
        occupancy = procedural_shapes.occupancy(carved, added, voxel_size)
    may_mirror, warp_strengths, symmetric = diversity.choose(
        shapes.categories,
        known,
        occupancy,
        num_own,
        mirror_views=train.mirror_views,
        # Where no hull is warped, no strength has to be chosen.
        strength=train.warp_strength if uses_hulls else diversity.STRONGEST,
    )
    packed = None if images is None else np.packbits(images.reshape(len(images), -1) > 0, axis=1)
    return Supervision(
        shapes,
        num_own,
        labeled,
        train.labeled_views,
        occupancy if uses_hulls else None,
        warp_strengths,
        may_mirror,
        symmetric,
        packed,
        train.unlabeled_dir_share,
    )


def labeled_subset(
    model_ids: Sequence[str] | np.ndarray,
    categories: Sequence[str] | np.ndarray,
    pose_fraction: float,
    seed: int,
) -> np.ndarray:
    """Choose the shapes whose viewpoints are used in training: a share of each category.

    The shapes of a category are ranked by a hash of (seed, model id). A smaller fraction therefore
    gives a subset of what a larger one gives, and shapes that are added do not change the order of
    the others.

    Args:
      model_ids: [shapes].
      categories: [shapes].
      pose_fraction: share of each category to choose, in [0, 1]; one shape at least.
      seed: seed of the ranking.

    Returns:
      Sorted indices of the labeled shapes, int [labeled].
    """
    rank = [hashlib.sha256(f"{seed}/{model_id}".encode()).digest() for model_id in model_ids]
    chosen: list[np.intp] = []
    for category in np.unique(categories):
        order = sorted(np.flatnonzero(np.asarray(categories) == category), key=rank.__getitem__)
        chosen += order[: max(1, round(pose_fraction * len(order)))]
    return np.sort(chosen)
