"""The source of procedural shapes, which needs no files."""

from collections.abc import Sequence

import numpy as np

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from shapenet_posed_masks.sources.base import Item, Source, unknown_category


class Procedural(Source):
    """Generated shapes, spread evenly over the categories.

    The ids and shapes of a smaller set are among those of a larger one with the same seed.
    """

    layout = "procedural"

    def __init__(
        self, categories: Sequence[str], voxel_size: int, num_shapes: int = 2000, seed: int = 0
    ):
        super().__init__(categories or procedural.CATEGORIES, voxel_size)
        self.num_shapes, self.seed = num_shapes, seed
        unknown = sorted(set(self.categories) - set(procedural.ALL_CATEGORIES))
        if unknown:
            raise unknown_category(unknown[0], procedural.ALL_CATEGORIES, "--dataset=procedural")
        if num_shapes < len(self.categories):
            raise UserError(
                f"--num_shapes={num_shapes} leaves a category without a shape: give at least "
                f"{len(self.categories)}, one for each category"
            )

    def items(self) -> list[Item]:
        """Return `num_shapes` items, sorted by id."""
        n = len(self.categories)
        return sorted(
            Item(f"{self.categories[i % n]}_{i // n:06d}", self.categories[i % n], "")
            for i in range(self.num_shapes)
        )

    def read(self, item: Item) -> np.ndarray:
        """Generate the voxels of an item, bool [N, N, N]; see `Source.read`."""
        index = int(item.model_id.rpartition("_")[2])
        return procedural.generate(item.category, index, self.seed, self.voxel_size)

    def settings(self) -> dict:
        """Return the settings, including the generator's."""
        return super().settings() | {"num_shapes": self.num_shapes, "seed": self.seed}
