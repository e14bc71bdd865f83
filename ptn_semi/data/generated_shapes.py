"""Generated shapes that a run learns from beside those of its data set.

Their voxels and viewpoints are known, since a program made them: the procedural shapes that come
with the package. They say what objects look like where few or no real shapes have viewpoints.
"""

import dataclasses

import numpy as np

from ptn_semi.data import preparation, splits
from ptn_semi.settings import DataSettings
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural

NAME = "generated"  # the category that they count as in a batch


def load(data: DataSettings, categories: np.ndarray, count: int) -> splits.Shapes:
    """Load generated shapes, with masks as those of a data set.

    Args:
      data: settings of the data set.
      categories: the categories of its shapes; shapes of these are generated if all are known to
        the generators, and else shapes of all categories that are.
      count: how many.

    Returns:
      The generated shapes, with voxels. A procedural data set of the same seed has none of them.

    Raises:
      UserError: they cannot be written to the disk.
    """
    wanted = tuple(sorted(set(categories.tolist())))
    if not set(wanted) <= set(procedural.CATEGORIES):
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


def join(shapes: splits.Shapes, generated: splits.Shapes) -> splits.Shapes:
    """Append generated shapes to those of a data set.

    Args:
      shapes: the shapes of the data set.
      generated: shapes from `load`.

    Returns:
      All shapes, without voxels. The generated ones are of the category `NAME`.

    Raises:
      UserError: the masks of the data set are too many for the memory.
    """
    if isinstance(shapes.masks, np.memmap):
        raise UserError(
            "--generated_shapes needs all masks in memory: raise --max_masks_gb or leave it out"
        )
    return dataclasses.replace(
        shapes,
        model_ids=np.concatenate([shapes.model_ids, generated.model_ids]),
        categories=np.concatenate([shapes.categories, [NAME] * len(generated)]),
        viewpoints=np.concatenate([shapes.viewpoints, generated.viewpoints]),
        masks=np.concatenate([shapes.masks, generated.masks]),
    )
