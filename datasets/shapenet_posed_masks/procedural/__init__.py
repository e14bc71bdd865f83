"""Parametric shapes of ShapeNet's categories, and primitives: the data set that needs no download.

Each category's function picks a structure and its proportions and returns solids, which
`solids.rasterise` turns into voxels. Of what is outside this folder only NumPy may be imported.
Within it imports point one way: a category's module → `supports`, `backs` → `solids`, `draw`.

The axes are x, y, z, with y up. The front faces +x, so that a sofa's long side runs along z.
"""

import numpy as np

from . import (
    aircraft,
    boats,
    cabinets,
    cars,
    chairs,
    displays,
    lamps,
    primitives,
    seating,
    tables,
)
from .draw import Draw
from .solids import rasterise

_CATEGORIES = {
    "airplane": aircraft.airplane,
    "bench": seating.bench,
    "cabinet": cabinets.cabinet,
    "car": cars.car,
    "chair": chairs.chair,
    "display": displays.display,
    "lamp": lamps.lamp,
    "sofa": seating.sofa,
    "table": tables.table,
    "vessel": boats.vessel,
}

CATEGORIES: tuple[str, ...] = tuple(sorted(_CATEGORIES))

# Drawn only if they are asked for by name, because they are none of ShapeNet's.
_OTHERS = {"primitive": primitives.primitive}
ALL_CATEGORIES: tuple[str, ...] = (*CATEGORIES, *sorted(_OTHERS))

# Their parts are drawn as thick as real ones; those of others as thick as in real 32-grids.
_SLENDER = ("airplane", "bench", "vessel")


def generate(category: str, index: int, seed: int, size: int) -> np.ndarray:
    """Draw the shape of a number within its category, bool [N, N, N], axes x, y, z.

    It is solid and centred to the voxel, and its longest side spans the grid. A shape is the same
    object at every `size` N ≥ 8, and depends on the arguments alone, on every platform.

    Raises:
      ValueError: if the category is not one of `ALL_CATEGORIES`.
    """
    if category not in ALL_CATEGORIES:
        raise ValueError(
            f"there are no procedural shapes of category {category!r}; "
            f"choose from {', '.join(ALL_CATEGORIES)}"
        )
    solids = (_CATEGORIES | _OTHERS)[category](Draw(category, index, seed))
    return rasterise(solids, size, dilated=category not in _SLENDER)
