"""Meshes whose faces lie between the voxels of a grid, as voxel editors write them.

A face on the border of two cells touches both, so that the rule for other meshes would make every
part thicker by a cell. Here a cell is inside where every way out of the mesh, from cell to cell,
crosses a face. Which side of a face is its front does not matter, nor do other faces behind it, so
that parts may be inside out, double-sided or there twice, and may overlap.
"""

import numpy as np

_TOLERANCE = 1e-3  # of a cell; how far a corner may be off
_OFF_CENTRE = np.array([0.5137, 0.4929])  # of a cell; not on the diagonals of its faces
_SIDES = range(16, 257)  # voxels along a mesh of voxels; fewer are just some cubes
_MAX_CELLS = 5_000_000  # in the boxes around triangles


def solid(triangles: np.ndarray, size: int) -> np.ndarray | None:
    """Return the voxels that triangles, float [F, 3, 3], enclose, if they lie between voxels.

    That is so for meshes of voxels, all of whose faces are halves of unit squares, and for meshes
    on a grid that fits the given one, whose side is `size`.

    Returns:
      bool [A, B, C], the bounding box in voxels of the mesh's own grid or of the given one; None
      for other meshes, and for those with a face that has no cell inside on either side, because
      they are not closed or have a sheet of no thickness.
    """
    corners = triangles.reshape(-1, 3)
    low = corners.min(axis=0)
    extent = (corners.max(axis=0) - low).max()
    if not (np.ptp(triangles, axis=1) <= 1e-6 * extent).any(axis=1).all():
        return None  # some face is across no axis, as in most meshes
    steps = np.concatenate([np.diff(np.unique(corners[:, axis])) for axis in range(3)])
    steps = steps[steps > 1e-6 * extent]
    cell = steps.min()
    count = round(extent / cell)
    edges = np.linalg.norm(np.diff(triangles, axis=1, append=triangles[:, :1]), axis=2)
    has_unit_faces = edges.max() < 1.5 * cell and count in _SIDES
    if not has_unit_faces and (count > size or size % count):
        return None
    places = (triangles - low) / cell
    whole = np.rint(places).astype(np.int64)
    flat = np.ptp(whole, axis=1) == 0  # [F, 3]
    if abs(places - whole).max() > _TOLERANCE:
        return None
    shape = whole.max(axis=(0, 1))
    if not shape.all():
        return None
    walls = [_walls(whole[flat[:, axis]], axis, shape) for axis in range(3)]
    if any(wall is None for wall in walls):
        return None
    inside = ~_reached(walls, shape)
    for axis, wall in enumerate(walls):
        ends = [(1, 1) if other == axis else (0, 0) for other in range(3)]
        padded = np.moveaxis(np.pad(inside, ends), axis, 0)
        if (np.moveaxis(wall, axis, 0) & ~padded[1:] & ~padded[:-1]).any():
            return None
    times = 1 if has_unit_faces else size // count
    return inside.repeat(times, 0).repeat(times, 1).repeat(times, 2)


def _walls(triangles, axis, shape):
    """Return where faces across an axis lie between two cells, or at an end.

    The bool array has one place more along the axis than there are cells. None if the faces are too
    large.
    """
    others = [other for other in range(3) if other != axis]
    plane, corners = triangles[:, 0, axis], triangles[:, :, others]
    edges = np.roll(corners, -1, axis=1) - corners
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    low, sides = corners.min(axis=1), np.ptp(corners, axis=1)
    ends = np.cumsum(sides.prod(axis=1))
    if not len(ends) or ends[-1] > _MAX_CELLS:
        return None
    owner = np.repeat(np.arange(len(triangles)), sides.prod(axis=1))
    index = np.arange(len(owner)) - (ends - sides.prod(axis=1))[owner]
    cells = low[owner] + np.stack(np.divmod(index, sides[owner, 1]), axis=1)
    points = cells[:, None] + _OFF_CENTRE - corners[owner]
    side = edges[owner, :, 0] * points[..., 1] - edges[owner, :, 1] * points[..., 0]
    covered = (side * np.sign(area)[owner, None] > 0).all(axis=1)
    walls = np.zeros([*shape[others], shape[axis] + 1], bool)
    walls[cells[covered, 0], cells[covered, 1], plane[owner[covered]]] = True
    return np.moveaxis(walls, 2, axis)


def _reached(walls, shape):
    """Return the cells, bool [A, B, C], that are reached from outside without crossing a wall."""
    from scipy import ndimage  # imported late, because commands check flags first

    # Cells and the places between them, and a layer of cells around all.
    ways = np.zeros(2 * shape + 3, bool)
    ways[::2, ::2, ::2] = True
    for axis, wall in enumerate(walls):
        ways[tuple(slice(other == axis, None, 2) for other in range(3))] = True
        between = tuple(slice(1 if other == axis else 2, -1, 2) for other in range(3))
        ways[between] = ~wall
    regions, _ = ndimage.label(ways)
    return regions[2:-1:2, 2:-1:2, 2:-1:2] == regions[0, 0, 0]
