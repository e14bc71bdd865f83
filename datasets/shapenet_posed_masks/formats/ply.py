"""Meshes in .ply files, read by plyfile."""

import io
import re

import numpy as np

from shapenet_posed_masks.formats.mesh_checks import NotSupportedError
from shapenet_posed_masks.formats.mesh_texts import Polygons


def read(data: bytes) -> Polygons:
    """Read a .ply file whose counts were checked (`mesh_checks.of_ply`).

    Args:
      data: the whole file.

    Returns:
      As from `mesh_texts.read_obj`.

    Raises:
      NotSupportedError: it has triangle strips.
      ValueError: it has no faces.
      plyfile.PlyParseError: it is damaged.
    """
    import plyfile  # imported late, as trimesh is in `meshes`

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
