"""Read and write binvox files, the run-length voxel format of ShapeNet and 3D-R2N2.

A file begins with a text header:

    #binvox 1
    dim 32 32 32
    translate -0.5 -0.5 -0.5
    scale 1
    data

Pairs of bytes follow: a value, 0 or 1, and a count, 0 to 255. In the order of the voxels, x changes
slowest, then z, and y fastest. Format: https://www.patrickmin.com/binvox/binvox.html
"""

import re

import numpy as np

from ptn_semi.utils.errors import UserError

MAX_SIDE = 512  # 128 MiB of voxels; ShapeNet's largest grids are 128³
_MAX_HEADER = 1024  # bytes; real headers have about 80
_MAX_RUN = 255


def read(data: bytes, name: str) -> np.ndarray:
    """Return the occupied voxels, bool [N, N, N], axes x, y, z, of the bytes of a binvox file.

    Memory for the grid is allocated only once the runs are known to add up to N³. `name` is the
    file's name in error messages.

    Raises:
      UserError: if the file is empty, truncated, damaged, not cubic, or has no occupied voxel.
    """
    n, start = _read_header(data, name)
    runs = np.frombuffer(data, np.uint8, offset=start)
    if len(runs) % 2 and data.endswith(b"\n"):  # which an editor or a shell added
        runs = runs[:-1]
    if len(runs) % 2:
        raise _bad(name, "is damaged (its last run has no count)")
    values, counts = runs[::2], runs[1::2]
    if values.size and values.max() > 1:
        raise _bad(
            name, f"is damaged (it holds the value {values.max()}, but only 0 and 1 are allowed)"
        )
    total = int(counts.sum(dtype=np.int64))
    if total != n**3:
        fault = "is truncated" if total < n**3 else "is damaged"
        raise _bad(name, f"{fault} (its runs hold {total} voxels, not {n}³ = {n**3})")
    if not np.any(counts[values == 1]):
        raise _bad(name, "has no occupied voxel")
    flat = np.repeat(values.astype(bool), counts)
    return np.ascontiguousarray(flat.reshape(n, n, n).transpose(0, 2, 1))  # x, z, y -> x, y, z


def _read_header(data: bytes, name: str) -> tuple[int, int]:
    """Return N and where the runs begin. Where the grid lies in the world does not matter here."""
    if not data:
        raise _bad(name, "is empty (0 bytes)")
    start = data[:_MAX_HEADER]
    if not start.startswith(b"#binvox 1"):
        raise _bad(name, "does not begin with '#binvox 1'")
    # Tools write comments, blank lines, Windows' line ends, and spaces after 'data'.
    end = re.search(rb"\n[ \t]*data[ \t]*(#.*)?\r?\n", start)
    if not end:
        raise _bad(name, "has a header without its 'data' line")
    lines = re.findall(rb"\n[ \t]*dim[ \t]([^#\n]*)", start[: end.start()])
    sides = lines[0].split() if len(lines) == 1 else []
    if len(sides) != 3 or not all(re.fullmatch(rb"-?[0-9]{1,9}", side) for side in sides):
        raise _bad(name, "has a damaged 'dim' line")
    shape = "×".join(side.decode() for side in sides)
    if len(set(map(int, sides))) != 1:
        raise _bad(name, f"holds a grid of {shape} voxels, which is not cubic")
    if not 1 <= int(sides[0]) <= MAX_SIDE:
        raise _bad(name, f"claims {shape} voxels, but a side must be 1 to {MAX_SIDE}")
    return int(sides[0]), end.end()


def write(voxels: np.ndarray) -> bytes:
    """Return the bytes of a binvox file whose grid is the unit cube around the origin.

    Args:
      voxels: occupied voxels, bool [N, N, N], axes x, y, z.

    Raises:
      ValueError: if the grid is not cubic.
    """
    n = voxels.shape[0]
    if voxels.shape != (n, n, n):
        raise ValueError(f"voxels must be [N, N, N], not {voxels.shape}")
    flat = np.asarray(voxels, bool).transpose(0, 2, 1).ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=flat.size)
    pieces = -(-lengths // _MAX_RUN)  # a count is a byte, so longer runs are split
    counts = np.full(pieces.sum(), _MAX_RUN, np.uint8)
    counts[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * _MAX_RUN
    runs = np.stack([np.repeat(flat[starts], pieces).astype(np.uint8), counts], axis=1)
    header = f"#binvox 1\ndim {n} {n} {n}\ntranslate -0.5 -0.5 -0.5\nscale 1\ndata\n"
    return header.encode() + runs.tobytes()


def _bad(name: str, fault: str) -> UserError:
    return UserError(f"{name} {fault}: replace the file or remove it")
