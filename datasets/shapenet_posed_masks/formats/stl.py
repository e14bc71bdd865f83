"""Meshes in .stl files, binary or text."""

import collections
from array import array

import numpy as np

from shapenet_posed_masks.formats.mesh_texts import lines_of, numbers

_HEADER = 84  # bytes; the last four are the number of facets
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attributes", "<u2")])


def read(data: bytes) -> np.ndarray:
    """Read an .stl file, float64 [F, 3, 3]. F may be 0.

    Raises:
      ValueError: if the file is damaged.
    """
    count = int.from_bytes(data[_HEADER - 4 : _HEADER], "little")
    size = _HEADER + count * _FACET.itemsize
    if size <= len(data) < size + _FACET.itemsize:  # some programs write a few bytes more
        return np.frombuffer(data, _FACET, count, _HEADER)["corners"].astype(np.float64)
    corners, found = array("d"), collections.Counter[bytes]()
    word = b""
    for words in map(bytes.split, lines_of(data)):
        word = words[0].lower()
        if word == b"end":  # 'end solid' for 'endsolid'
            word += words[1].lower()
        if word == b"vertex":
            corners.extend(numbers(words[1:]))
        found[word] += 1
        if len(found) == 1 and word != b"solid":
            raise ValueError(f"it is truncated, or no .stl ({len(data)} bytes for {count} faces)")
    if word != b"endsolid" or found[b"solid"] != found[b"endsolid"]:
        raise ValueError("it is truncated (it does not end with 'endsolid')")
    if not 3 * found[b"facet"] == 3 * found[b"endfacet"] == found[b"vertex"]:
        raise ValueError("it has a face without three corners")
    return np.array(corners).reshape(-1, 3, 3)
