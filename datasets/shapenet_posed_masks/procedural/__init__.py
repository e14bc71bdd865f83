"""Parametric shapes of ShapeNet's categories: the data set that needs no download.

Here live the functions that draw them, one for each category. A shape is drawn in two steps: a
category's function picks a structure and its proportions and returns solids, and `solids.rasterise`
turns these into voxels. Nothing here may import more than NumPy from outside this folder. Within
it imports point one way: a category's module → `supports` and `backs` → `solids` and `draw`.

The axes are x, y, z, with y up. The front faces +x, so that a sofa's long side runs along z.
"""

import numpy as np

from . import aircraft, boats, cars, chairs, displays, furnishings, lamps, seating
from .draw import Draw
from .solids import rasterise

_CATEGORIES = {
    "airplane": aircraft.airplane,
    "bench": seating.bench,
    "cabinet": furnishings.cabinet,
    "car": cars.car,
    "chair": chairs.chair,
    "display": displays.display,
    "lamp": lamps.lamp,
    "sofa": seating.sofa,
    "table": furnishings.table,
    "vessel": boats.vessel,
}

CATEGORIES: tuple[str, ...] = tuple(sorted(_CATEGORIES))


def generate(category: str, index: int, seed: int, size: int) -> np.ndarray:
    """Draw one shape.

    Args:
      category: one of `CATEGORIES`.
      index: number of the shape within its category.
      seed: seed of the data set.
      size: N ≥ 8, the voxels along each side of the grid. A shape is the same object at every size.

    Returns:
      bool [N, N, N], axes x, y, z: a solid object, centred to the voxel, whose longest side spans
      the grid. It depends on the arguments alone, on every platform.

    Raises:
      ValueError: if the category is unknown.
    """
    if category not in _CATEGORIES:
        raise ValueError(
            f"there are no procedural shapes of category {category!r}; "
            f"choose from {', '.join(CATEGORIES)}"
        )
    return rasterise(_CATEGORIES[category](Draw(category, index, seed)), size)
