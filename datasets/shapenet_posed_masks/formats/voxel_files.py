"""Read voxel grids from the files that people keep them in: binvox, packed or not, and NumPy's."""

import gzip
import io
import zipfile
import zlib

import numpy as np

from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError, first_line

EXTENSIONS = (".binvox", ".binvox.gz", ".npy", ".npz")
MAX_BYTES = 256 << 20  # of one file, and of the array in it; 256³ numbers of 8 bytes are half of it
_OCCUPIED = 0.5  # probabilities above it, where the file does not say
_THRESHOLD = "threshold"  # of the probabilities that `ptn_semi.reconstruct` writes
_RECONSTRUCTED = {"probabilities", "occupied"}  # what `ptn_semi.reconstruct` writes


def read(data: bytes, name: str) -> np.ndarray:
    """Read a grid with an occupied voxel, bool [X, Y, Z], by the ending of the file's name.

    NumPy's files may hold booleans, whole numbers, of which all but 0 are occupied, or
    probabilities, occupied above 0.5 or above the file's own `threshold`. Axes of length 1 before
    or after the grid's three are left out. An .npz may hold one grid beside the threshold; one of
    `ptn_semi.reconstruct` has both probabilities and the occupied voxels, which are read.

    Raises:
      UserError: if the file is damaged, empty, or holds something else.
    """
    lowered = name.lower()
    if lowered.endswith((".gz", ".binvox")):
        return binvox.read(_unpacked(data, name) if lowered.endswith(".gz") else data, name)
    values, threshold = None, _OCCUPIED
    try:
        if lowered.endswith(".npz"):
            values, threshold = _from_npz(data, name)
        else:
            values = _array(data, name)
    except UserError:
        raise
    except Exception as error:  # of Python's own parser, which reads headers, and of zip files
        raise _bad(name, f"is damaged ({first_line(error)})") from error
    return _occupied(values, threshold, name)


def _unpacked(data, name):
    try:
        with gzip.open(io.BytesIO(data)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _bad(name, f"is not a gzip file, or damaged ({error})") from error
    if len(unpacked) > MAX_BYTES:
        raise _bad(name, f"unpacks to more than {MAX_BYTES >> 20} MiB")
    return unpacked


def _from_npz(data, name):
    """Return the only grid of an archive, and the threshold above which it is occupied."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {each.filename.removesuffix(".npy"): each for each in archive.infolist()}
        wanted = [key for key in members if key != _THRESHOLD]
        if set(wanted) == _RECONSTRUCTED:
            wanted = ["occupied"]
        if len(wanted) != 1:
            there = ", ".join(sorted(wanted)) or "none"
            raise UserError(
                f"{name} holds {len(wanted)} arrays ({there}): save the grid alone, as .npy"
            )
        arrays = {}
        for key in {*wanted, _THRESHOLD} & members.keys():
            with archive.open(members[key]) as file:
                arrays[key] = _array(file.read(MAX_BYTES + 1), name)
        return arrays[wanted[0]], float(arrays.get(_THRESHOLD, _OCCUPIED))


def _array(data, name):
    """Parse an .npy file, without the Python objects that one can hold."""
    if len(data) > MAX_BYTES:
        raise _bad(name, f"holds an array of more than {MAX_BYTES >> 20} MiB")
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def _occupied(values, threshold, name):
    """Return the occupied voxels of an array, which may not be a grid."""
    shape = "×".join(map(str, values.shape)) or "one value"
    grid = np.squeeze(values) if values.ndim > 3 else values
    if grid.ndim != 3 or not 1 <= max(grid.shape) <= binvox.MAX_SIDE:
        raise UserError(
            f"{name} holds {shape}: give a grid of three axes, x, y and z, with 1 to "
            f"{binvox.MAX_SIDE} voxels along each"
        )
    if grid.dtype.kind not in "biuf":
        raise _bad(name, f"holds values of type {grid.dtype}, not voxels")
    is_probability = grid.dtype.kind == "f"
    if not (grid >= 0).all() or (is_probability and (grid > 1).any()):
        numbers = "that are not from 0 to 1, so they are not probabilities"
        raise UserError(
            f"{name} holds numbers {numbers if is_probability else 'under 0'}: save which voxels "
            "are occupied"
        )
    if is_probability:
        grid = grid > threshold
    if not grid.any():
        raise _bad(name, "has no occupied voxel")
    return grid.astype(bool)


def _bad(name, fault):
    return UserError(f"{name} {fault}: replace the file or remove it")
