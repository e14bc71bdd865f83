"""Parametric shapes of ShapeNet's categories: the data set that needs no download.

A shape is drawn in two steps: a category's function picks a structure and its proportions and
returns solids, and `solids.rasterise` turns these into voxels. Imports point one way:
a category's module → `supports` → `solids`; `draw` stands alone.

Axes: x, y, z; y up, the front faces +x, so that a sofa's long side runs along z.
"""

from . import aircraft, appliances, boats, cars, furnishings, seating
from .draw import Draw
from .solids import rasterise

_CATEGORIES = {
    "airplane": aircraft.airplane,
    "bench": seating.bench,
    "cabinet": furnishings.cabinet,
    "car": cars.car,
    "chair": seating.chair,
    "display": appliances.display,
    "lamp": appliances.lamp,
    "sofa": seating.sofa,
    "table": furnishings.table,
    "vessel": boats.vessel,
}

CATEGORIES: tuple[str, ...] = tuple(sorted(_CATEGORIES))


def generate(category, index, seed, size):
    """Draws one shape.

    Args:
      category: one of `CATEGORIES`.
      index: int, which shape of the category.
      seed: int, which data set.
      size: int ≥ 8, the grid's side N in voxels; a shape is the same object at every size.

    Returns:
      bool [N, N, N], axes x, y, z: a solid object, centred to the voxel, whose longest side spans
      the grid. A pure function of its arguments, on every platform.

    Raises:
      ValueError: unknown category.
    """
    if category not in _CATEGORIES:
        raise ValueError(
            f"there are no procedural shapes of category {category!r}; "
            f"choose from {', '.join(CATEGORIES)}"
        )
    return rasterise(_CATEGORIES[category](Draw(category, index, seed)), size)
