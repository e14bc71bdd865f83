"""Meshes in .ply files, read by plyfile."""

import io
import re

import numpy as np

from shapenet_posed_masks.formats.mesh_texts import NotSupportedError, Polygons, whole_number

_MAX_HEADER = 1 << 20  # bytes


def count_faces(data: bytes) -> int:
    """Return how many faces a .ply file claims to have.

    plyfile allocates memory for whatever a file claims, so the numbers of all elements are checked.

    Raises:
      ValueError: if the header is damaged or claims more than the file can hold.
    """
    header, end, body = data.partition(b"end_header")
    if not data.startswith(b"ply") or not end or len(header) > _MAX_HEADER:
        raise ValueError("it has a damaged header")
    counts = {}
    for name, number in re.findall(rb"^\s*element\s+(\S+)\s+(\S+)", header, re.MULTILINE):
        counts[name] = whole_number(number)
        if counts[name] > len(body):  # every element takes at least one byte
            raise ValueError(f"it is truncated (no room for {counts[name]} of {name.decode()})")
    if re.search(rb"^\s*format\s+ascii", header, re.MULTILINE):
        lines = sum(1 for line in body.replace(b"\r", b"\n").split(b"\n") if line.strip())
        if lines != sum(counts.values()):
            raise ValueError(f"it has {lines} lines for {sum(counts.values())} elements")
    return counts.get(b"face", 0)


def read(data: bytes) -> Polygons:
    """Read a .ply file whose faces were counted, as `mesh_texts.read_obj` does.

    Raises:
      NotSupportedError: if it has triangle strips.
      ValueError: if it has no faces. Other exceptions mean damage.
    """
    import plyfile  # imported late, because few shapes need it

    header = data.partition(b"end_header")[0].decode("latin-1")
    if re.search(r"^\s*element\s+tristrips", header, re.MULTILINE):
        raise NotSupportedError("has triangle strips, which are not supported")
    lists = re.search(r"^\s*property\s+list\s+\S+\s+\S+\s+(vertex_ind\w+)", header, re.MULTILINE)
    if not lists:
        raise ValueError("it has no faces")
    name = lists[1]
    try:  # lists of one known length are read at once
        found = plyfile.PlyData.read(io.BytesIO(data), known_list_len={"face": {name: 3}})
    except plyfile.PlyParseError:
        found = plyfile.PlyData.read(io.BytesIO(data))
    vertices = np.stack([found["vertex"][axis].astype(np.float64) for axis in "xyz"], axis=1)
    faces = [np.asarray(face, np.int64) for face in found["face"][name]]
    counts = np.array([len(face) for face in faces], np.int64)
    return vertices, np.concatenate(faces or [np.zeros(0, np.int64)]), counts
