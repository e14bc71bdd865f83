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
from dataclasses import dataclass

import numpy as np

from ptn_semi.utils.errors import UserError

MAX_SIDE = 512  # 128 MiB of voxels; ShapeNet's largest grids are 128³
_MAX_HEADER = 1024  # bytes; real headers have about 80
_MAX_RUN = 255


@dataclass(frozen=True)
class Header:
    """The header of a binvox file.

    Attributes:
      side: N, the voxels along each side of the N³ grid.
      translate: world coordinates of the grid's corner (0, 0, 0), as written in the file.
      scale: world length of a side of the grid.
      size: length of the header in bytes; the runs begin there.
    """

    side: int
    translate: tuple[float, float, float]
    scale: float
    size: int


def read_header(data: bytes, name: str) -> Header:
    """Read and check the header of a binvox file.

    Args:
      data: the file's bytes, at least the first kilobyte.
      name: the file's name in error messages.

    Returns:
      The `Header`.

    Raises:
      UserError: if the header is missing or damaged, or the grid is not cubic or not 1 to 512 wide.
    """
    if not data:
        raise _bad(name, "is empty (0 bytes)")
    start = data[:_MAX_HEADER]
    if not start.startswith(b"#binvox 1"):
        raise _bad(name, "does not begin with '#binvox 1'")
    # Tools write comments, blank lines, Windows' line ends, and spaces after 'data'.
    end = re.search(rb"\n[ \t]*data[ \t]*\r?\n", start)
    if not end:
        raise _bad(name, "has a header without its 'data' line")

    fields: dict[str, list[str]] = {}
    for line in start[: end.start()].decode("latin-1").splitlines()[1:]:
        key, *values = line.split() or ["#"]
        if key.startswith("#"):
            continue
        if key in fields:
            raise _bad(name, f"has two '{key}' lines in its header")
        fields[key] = values
    try:
        sides = [_whole(v) for v in fields["dim"]]
        translate = [float(v) for v in fields.get("translate", ["0"] * 3)]
        (scale,) = [float(v) for v in fields.get("scale", ["1"])]
        dims = sides[0], sides[1], sides[2]
        corner = translate[0], translate[1], translate[2]
    except (KeyError, ValueError, IndexError):
        raise _bad(name, "has a damaged 'dim', 'translate' or 'scale' line") from None
    shape = "×".join(map(str, sides))
    if len(sides) != 3 or len(set(dims)) != 1:
        raise _bad(name, f"holds a grid of {shape} voxels, which is not cubic")
    if not 1 <= dims[0] <= MAX_SIDE:
        raise _bad(name, f"claims {shape} voxels, but a side must be 1 to {MAX_SIDE}")
    if not np.isfinite([*corner, scale]).all() or scale <= 0 or len(translate) != 3:
        raise _bad(name, "has a damaged 'translate' or 'scale' line")
    return Header(dims[0], corner, scale, end.end())


def read(data: bytes, name: str) -> np.ndarray:
    """Read the voxels of a binvox file.

    Memory for the grid is allocated only once the runs are known to add up to N³.

    Args:
      data: the whole file.
      name: the file's name in error messages, usually its path.

    Returns:
      Occupied voxels, bool [N, N, N], axes x, y, z.

    Raises:
      UserError: if the file is empty, truncated, damaged, not cubic, or has no occupied voxel.
    """
    header = read_header(data, name)
    n = header.side
    runs = np.frombuffer(data, np.uint8, offset=header.size)
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


def write(voxels: np.ndarray) -> bytes:
    """Encode voxels as a binvox file whose grid is the unit cube around the origin.

    Args:
      voxels: occupied voxels, bool [N, N, N], axes x, y, z.

    Returns:
      The file's bytes.

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


def _whole(text: str) -> int:
    """Parse a whole number; `int` alone would also accept '3_2' and digits of any script."""
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


def _bad(name: str, fault: str) -> UserError:
    return UserError(f"{name} {fault}: replace the file or remove it")
