"""Procedural shapes that a run learns from beside those of its data set.

Their voxels and viewpoints are known, since a program makes them. They say what objects look like
where few or no shapes of the data set have viewpoints.
"""

import dataclasses

import numpy as np

from ptn_semi.data import hulls, preparation, splits
from ptn_semi.settings import DataSettings
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural

NAME = "procedural"  # the category that they count as in a batch


def load(data: DataSettings, categories: np.ndarray, count: int) -> splits.Shapes:
    """Load `count` procedural shapes, with voxels, and with masks as those of a data set.

    Args:
      data: settings of the data set. A procedural one of the same seed has none of these shapes.
      categories: the categories of its shapes, [shapes]. If the generators know all of them, the
        procedural shapes are of these, and else of all that they know.

    Raises:
      UserError: if they cannot be written to the disk.
    """
    wanted = tuple(sorted(set(categories.tolist())))
    if not set(wanted) <= set(procedural.ALL_CATEGORIES):
        wanted = procedural.CATEGORIES
    settings = dataclasses.replace(
        data,
        dataset="procedural",
        manual_dir="",
        categories=wanted,
        num_shapes=max(count, len(wanted)),
        data_seed=data.data_seed + 1,
    )
    builder = preparation.prepare(settings)
    return splits.load(builder, "+".join(sorted(builder.info.splits)), with_voxels=True)


def occupancy(own: np.ndarray, shapes: splits.Shapes, voxel_size: int) -> hulls.Occupancy:
    """Join the hulls of a data set's shapes and procedural ones' voxels, in a model's resolution.

    Args:
      own: uint8 [H, n, n, n], from `hulls.labeled_hulls`.
      shapes: procedural shapes, with voxels. Finer ones are averaged.
      voxel_size: n.
    """
    assert shapes.voxels is not None, "load them with_voxels"
    if shapes.voxel_size == voxel_size:
        return hulls.Occupancy(own, shapes.voxels)
    filled = shapes.unpack_voxels(slice(None)).astype(np.uint8) * 255
    return hulls.of_hulls(np.concatenate([own, hulls.averaged(filled, voxel_size)]))


def join(shapes: splits.Shapes, procedural_ones: splits.Shapes) -> splits.Shapes:
    """Append procedural shapes, as shapes of the category `NAME`, to those of a data set.

    Raises:
      UserError: if the masks of the data set are too many for the memory.
    """
    if isinstance(shapes.masks, np.memmap):
        raise UserError(
            "--procedural_shapes needs all masks in memory: raise --max_masks_gb or leave it out"
        )
    return dataclasses.replace(
        shapes,
        model_ids=np.concatenate([shapes.model_ids, procedural_ones.model_ids]),
        categories=np.concatenate([shapes.categories, [NAME] * len(procedural_ones)]),
        viewpoints=np.concatenate([shapes.viewpoints, procedural_ones.viewpoints]),
        masks=np.concatenate([shapes.masks, procedural_ones.masks]),
    )
