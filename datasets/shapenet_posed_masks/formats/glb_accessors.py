"""Arrays in .glb files, which glTF calls accessors: rows of numbers in the data of the file."""

import numpy as np

from shapenet_posed_masks.formats.mesh_texts import NotSupportedError

# glTF's component types, and the number that stands for 1 in those of fractions.
_TYPES = {
    5120: ("<i1", 127),
    5121: ("<u1", 255),
    5122: ("<i2", 32767),
    5123: ("<u2", 65535),
    5125: ("<u4", 1),
    5126: ("<f4", 1),
}
_COLUMNS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def count(scene: dict, index: int) -> int:
    """Return how many rows an array claims to have.

    Raises:
      NotSupportedError: if the array is sparse, compressed or missing.
      ValueError: if that is not a number of rows.
    """
    accessor = scene["accessors"][index]
    view = accessor.get("bufferView")
    if "sparse" in accessor or view is None or scene["bufferViews"][view]["buffer"] != 0:
        raise NotSupportedError("has sparse, compressed or missing data, which is not supported")
    if not isinstance(accessor["count"], int) or accessor["count"] < 1:
        raise ValueError(f"it has {accessor['count']} for a count")
    return accessor["count"]


def read(
    scene: dict, binary: bytes, index: int, rows: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Read rows of an array, [count, columns]. Fractions, stored as whole numbers, become floats.

    Raises:
      NotSupportedError: as `count`.
      ValueError: if the array is damaged. Other exceptions mean damage, too.
    """
    accessor, num_rows = scene["accessors"][index], count(scene, index)
    view = scene["bufferViews"][accessor["bufferView"]]
    kind, whole = _TYPES[accessor["componentType"]]
    number, columns = np.dtype(kind), _COLUMNS[accessor["type"]]
    stride = view.get("byteStride", columns * number.itemsize)
    if stride < columns * number.itemsize:  # a few bytes could claim any number of rows
        raise ValueError(f"it has rows that are {stride} bytes apart")
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    strides = (stride, number.itemsize)
    values = np.ndarray((num_rows, columns), number, binary, start, strides)[rows]
    if accessor.get("normalized"):
        return np.maximum(values.astype(float) / whole, -1)  # the lowest stands for -1, too
    return values
