"""Pure functions on voxel grids: turning, centring, resizing and filling.

Grids are bool [N, N, N], index order x, y, z. In object axes y is up and the front of the object is
at +x. Its bounding box is centred in the grid, and the longest side of it spans the grid.
"""

import numpy as np

from ptn_semi.utils.errors import UserError

AXES = ("+x", "-x", "+y", "-y", "+z", "-z")
_VECTORS = np.kron(np.eye(3, dtype=int), [[1], [-1]])  # of AXES


def axes_matrix(up: str, front: str) -> np.ndarray:
    """Return the rotation that takes a file's axes to object axes, int [3, 3].

    Its rows are the object's x, y and z in the file's coordinates: `points @ matrix.T` turns
    points. The determinant is +1, so that nothing is ever mirrored.

    Args:
      up: the axis of the file that points up, one of AXES.
      front: the axis of the file towards which the object's front faces, one of AXES.

    Raises:
      UserError: if an axis is unknown, or both lie along the same one.
    """
    for flag, axis in (("--mesh_up", up), ("--mesh_front", front)):
        if axis not in AXES:
            raise UserError(f"{flag}={axis} is not an axis: give one of {', '.join(AXES)}")
    if up[1] == front[1]:
        raise UserError(
            f"--mesh_up={up} and --mesh_front={front} lie on one axis: give two different ones"
        )
    x, y = (_VECTORS[AXES.index(axis)] for axis in (front, up))
    return np.stack([x, y, np.cross(x, y)])


def turn(voxels: np.ndarray, up: str, front: str) -> np.ndarray:
    """Turn a grid, bool [N, N, N], from a file's axes (see `axes_matrix`) to object axes."""
    matrix = axes_matrix(up, front)
    order = np.abs(matrix).argmax(axis=1)
    flipped = np.flatnonzero(matrix.sum(axis=1) < 0)
    return np.flip(voxels.transpose(order), axis=tuple(flipped))


def reduce(voxels: np.ndarray, size: int) -> np.ndarray:
    """Fit a grid to a smaller one, bool [M, M, M]: centred, with the longest side spanning it.

    Each occupied voxel goes whole to the cell in which its centre falls. A cell is occupied when it
    gets at least as many voxels as a line one voxel thick that crosses it: 4 of 64 from 128³ to
    32³. A bounding box shorter than M is enlarged to span it (nearest voxel).

    The threshold is so low because legs and seats of ShapeNet's chairs are one to two voxels thick
    at 128³, which is 1/16 to 1/8 of a cell. On 25 benches and tables of ShapeNetCore, a threshold
    of 1/2 left rubble, 1/4 dropped legs and back slats, and 1/8 tore some seats, while a line kept
    every part. Voxels are never split between cells, because a part one voxel thick between two
    cells would be lost from both.

    Args:
      voxels: bool [X, Y, Z], not empty.
      size: M, the side of the result in voxels.
    """
    from scipy import ndimage  # imported late, because commands check flags first

    box = voxels[ndimage.find_objects(voxels.astype(np.uint8))[0]]
    side = max(box.shape)
    offset = [(side - n) // 2 for n in box.shape]
    if side <= size:
        cube = np.zeros((side,) * 3, bool)
        cube[tuple(slice(o, o + n) for o, n in zip(offset, box.shape, strict=True))] = box
        return _nearest(cube, size)
    counts, span = box, []
    for axis, (o, n) in enumerate(zip(offset, box.shape, strict=True)):
        cell = ((2 * (np.arange(n) + o) + 1) * size) // (2 * side)
        counts = np.add.reduceat(counts, np.searchsorted(cell, np.unique(cell)), axis, np.int32)
        span.append(slice(cell[0], cell[-1] + 1))
    result = np.zeros((size,) * 3, bool)
    result[tuple(span)] = counts >= min(side // size, counts.max())
    return result


def resize(voxels: np.ndarray, size: int) -> np.ndarray:
    """Resize a grid, bool [N, N, N], to [M, M, M], where M is `size`.

    A larger grid gets a block for each voxel (nearest voxel). That is exactly the same solid, while
    linear interpolation would round corners and thin out legs. A smaller grid is made by `reduce`.
    """
    n = voxels.shape[0]
    if n == size:
        return voxels
    return _nearest(voxels, size) if n < size else reduce(voxels, size)


def fill_holes(voxels: np.ndarray) -> np.ndarray:
    """Fill every cavity of a grid that no path along x, y and z leads into from outside."""
    from scipy import ndimage

    empty = np.pad(~voxels, 1, constant_values=True)
    regions, _ = ndimage.label(empty)
    return (regions != regions[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _nearest(voxels: np.ndarray, size: int) -> np.ndarray:
    index = ((2 * np.arange(size) + 1) * voxels.shape[0]) // (2 * size)
    return voxels[np.ix_(index, index, index)]
