"""Turn mesh files into solid voxel grids.

A cell is occupied when the surface touches it or encloses it, which is the rule by which
ShapeNetVox32 was made. Meshes need not be watertight: gaps narrower than a cell close, and an open
shape (a sheet, a cup) stays a surface one cell thick. The readers only get the bytes of a file, so
that nothing that it refers to (materials, textures) is ever opened.
"""

import os

import numpy as np

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import glb, grids, lattices, mesh_texts, ply, polygons, stl

EXTENSIONS = (".off", ".obj", ".ply", ".stl", ".glb")
MAX_BYTES = 256 << 20  # of a file
MAX_FACES = 3_000_000  # of a file; voxelising them takes 1 GB
_COUNTERS = {".ply": ply.count_faces, ".glb": glb.count_faces}
_POLYGON_READERS = {".off": mesh_texts.read_off, ".obj": mesh_texts.read_obj, ".ply": ply.read}
_TRIANGLE_READERS = {".stl": stl.read, ".glb": glb.read}
_MAX_SAMPLES = 100_000_000  # takes about 10 s; 3,000 squares across a grid of 32³
_CHUNK = 2_000_000  # samples in memory at a time
_SPACING = 0.25  # between samples of the surface, in cells
_MIN_WIDTH = 1e-6  # of a triangle, in its length; 32-bit numbers bend a line about as far


def voxelise(data: bytes, name: str, size: int, up: str = "+y", front: str = "+z") -> np.ndarray:
    """Turn a mesh file into a solid voxel grid.

    The default axes are glTF's, which Blender also writes to .obj: y up, front +z. ModelNet's .off
    files have z up, and their chairs face −y.

    Args:
      data: the whole file.
      name: what messages call the file, usually its path. Its ending tells the format.
      size: N, the voxels along each side of the grid.
      up: as for `grids.axes_matrix`.
      front: as for `grids.axes_matrix`.

    Returns:
      bool [N, N, N] in object axes, centred and spanning the grid.

    Raises:
      UserError: if the file cannot be read or has no faces or too many, or its coordinates are
        not finite or all the same.
    """
    matrix = grids.axes_matrix(up, front)
    with np.errstate(over="ignore", invalid="ignore"):
        triangles = load(data, name) @ matrix.T.astype(float)
        low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
        longest = (high - low).max()
    if not np.isfinite(longest):
        raise _bad(name, "has coordinates that are infinite or not numbers")
    if longest <= 0:
        raise _bad(name, "has no extent (all its faces are one point)")
    triangles = triangles[_have_area(triangles / longest)]
    if not len(triangles):
        raise _bad(name, "has only faces without area")
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    exact = lattices.solid(triangles, size)
    if exact is not None:
        return grids.fill_holes(grids.reduce(exact, size))
    # Slightly smaller than the grid: a face exactly between two cells then goes to the inner one on
    # both sides. This keeps symmetric objects symmetric, and the last cell inside the grid.
    scale = size * (1 - 1e-4) / (high - low).max()
    triangles = (triangles - (low + (high - low) / 2)) * scale + size / 2
    return grids.fill_holes(_surface(triangles, size, name))


def _have_area(triangles: np.ndarray) -> np.ndarray:
    """Return which triangles, float [F, 3, 3], are wider than a line or a point, bool [F].

    Programs leave such lines and points behind, often at the origin and far from the object. They
    must not decide how large the object is in the grid.
    """
    edges = np.diff(triangles, axis=1, append=triangles[:, :1])
    longest = np.linalg.norm(edges, axis=2).max(axis=1)
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    return area > _MIN_WIDTH * longest**2


def load(data: bytes, name: str) -> np.ndarray:
    """Read the triangles of a mesh file, float64 [F, 3, 3], in the file's axes and unit.

    Raises:
      UserError: if the file cannot be read or has no faces or too many.
    """
    extension = os.path.splitext(name)[1].lower()
    if not data:
        raise _bad(name, "is empty (0 bytes)")
    try:
        if extension in _COUNTERS:
            _check_number(_COUNTERS[extension](data), name)
        if extension in _POLYGON_READERS:
            vertices, corners, counts = _POLYGON_READERS[extension](data)
            _check_number(int(np.maximum(counts - 2, 0).sum()), name)
            triangles = polygons.triangulate(vertices, corners, counts)
        else:
            triangles = _TRIANGLE_READERS[extension](data)
    except UserError:
        raise
    except mesh_texts.NotSupportedError as error:
        raise UserError(f"{name} {error}: convert the file or remove it") from error
    except Exception as error:  # a damaged file can make parsers raise anything
        fault = str(error) if isinstance(error, ValueError) else f"{type(error).__name__} {error}"
        fault = " ".join(fault.split())[:100]
        raise _bad(name, f"cannot be read as {extension} ({fault})") from error
    if not len(triangles):
        raise _bad(name, "has no faces")
    _check_number(len(triangles), name)
    return triangles


def _check_number(faces: int, name: str) -> None:
    if faces > MAX_FACES:
        raise _bad(name, f"has {faces} faces, more than {MAX_FACES}")


def _surface(triangles: np.ndarray, size: int, name: str) -> np.ndarray:
    """Return the cells that triangles [F, 3, 3], in units of cells, touch: bool [N, N, N].

    Each triangle is sampled in rows from the corner opposite its shortest edge to that edge, so
    that a sliver costs few samples however long it is.
    """
    edges = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2)
    face, k = np.arange(len(triangles)), edges.argmin(axis=1)
    near, along = triangles[face, k], triangles[face, (k + 1) % 3]
    apex = triangles[face, (k + 2) % 3]
    columns = np.ceil(edges.min(axis=1) / _SPACING).astype(np.int64) + 1
    rows = np.ceil(edges.max(axis=1) / _SPACING).astype(np.int64) + 1
    ends = np.cumsum(rows * columns)
    if ends[-1] > _MAX_SAMPLES:
        raise _bad(name, f"has too many large faces ({len(triangles)})")

    voxels = np.zeros((size,) * 3, bool)
    start = 0
    while start < len(triangles):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK)))
        part = slice(start, stop)
        owner = np.repeat(face[part], (rows * columns)[part])
        index = np.arange(len(owner)) - (ends - rows * columns)[owner] + done
        r = (index // columns[owner] / np.maximum(rows[owner] - 1, 1))[:, None]
        c = (index % columns[owner] / np.maximum(columns[owner] - 1, 1))[:, None]
        across = near[owner] + c * (along - near)[owner]
        cells = np.floor(apex[owner] + r * (across - apex[owner])).astype(np.int64)
        voxels[tuple(np.clip(cells, 0, size - 1).T)] = True
        start = stop
    return voxels


def _bad(name: str, fault: str) -> UserError:
    return UserError(f"{name} {fault}: repair the file or remove it")
