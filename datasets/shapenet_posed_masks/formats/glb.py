"""Meshes in .glb files (glTF 2), read by trimesh.

trimesh allocates memory for whatever a file claims, and shows a mesh as often as its nodes say. So
`count_faces` checks what a file claims before `read` is called.
"""

import io
import json
import logging
import struct

import numpy as np

from shapenet_posed_masks.formats import quantization
from shapenet_posed_masks.formats.mesh_texts import NotSupportedError

_MAX_JSON = 16 << 20  # bytes; the description of a real scene has a few kB
_MAX_NODES = 10_000
_MAX_DEPTH = 100  # trimesh searches a path through all levels from each node
_MAX_NUMBER = 1e30  # in the move of a node
_TRIANGLES = 4  # glTF's number of the mode in which three corners make a triangle
# Extensions that leave the shape as it is, or are handled.
_HARMLESS = (
    "KHR_materials_",
    "KHR_texture_",
    "EXT_texture_",
    "KHR_lights_",
    "KHR_mesh_quantization",
)


def count_faces(data: bytes) -> int:
    """Return how many triangles a .glb file shows at most.

    Raises:
      NotSupportedError: if the file needs something that is not supported.
      ValueError: if the file is damaged. Other exceptions mean damage, too.
    """
    scene = _description(data)
    if any("uri" in buffer for buffer in scene.get("buffers", [])):
        raise NotSupportedError("keeps its data in other files, or as text, which is not supported")
    for name in scene.get("extensionsRequired", []):
        if not name.startswith(_HARMLESS):
            raise NotSupportedError(f"needs the extension {name}, which is not supported")
    for accessor in scene.get("accessors", []):
        if "sparse" in accessor or "bufferView" not in accessor:
            raise NotSupportedError(
                "has sparse, compressed or missing data, which is not supported"
            )
        if not isinstance(accessor["count"], int) or accessor["count"] < 1:
            raise ValueError(f"it has {accessor['count']} for a count")
    nodes = scene.get("nodes", [])
    roots = [index for part in scene.get("scenes", []) for index in part.get("nodes", [])]
    children = [child for node in nodes for child in node.get("children", [])]
    if (count := max(len(nodes), len(roots))) > _MAX_NODES:
        raise ValueError(f"it has {count} nodes, more than {_MAX_NODES}")
    if len(set(children)) != len(children):
        raise ValueError("it has a node that is part of two others")
    moves = ("matrix", "translation", "rotation", "scale")
    numbers = [number for node in nodes for name in moves for number in node.get(name, [])]
    if not all(abs(number) < _MAX_NUMBER for number in numbers):  # False for NaN, too
        raise ValueError("it has a node moved by a value that is infinite or not a number")
    level = set(range(len(nodes)))
    for _ in range(_MAX_DEPTH):
        level = {child for index in level for child in nodes[index].get("children", [])}
    if level:
        raise ValueError("its nodes are nested too deep, or contain themselves")
    return sum(_triangles(scene["meshes"][n["mesh"]], scene) for n in nodes if "mesh" in n)


def _description(data: bytes) -> dict:
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    if (magic, version, kind) != (b"glTF", 2, b"JSON") or size > _MAX_JSON:
        raise ValueError("it does not begin as a file of glTF 2 does")
    if length != len(data):
        raise ValueError(f"it is truncated or damaged ({len(data)} bytes instead of {length})")
    return json.loads(data[20 : 20 + size])


def _triangles(mesh: dict, scene: dict) -> int:
    total = 0
    for part in mesh["primitives"]:
        corners = part.get("indices", part["attributes"]["POSITION"])
        # In a strip each corner may make a triangle.
        shared = 3 if part.get("mode", _TRIANGLES) == _TRIANGLES else 1
        total += scene["accessors"][corners]["count"] // shared
    return total


def read(data: bytes) -> np.ndarray:
    """Read the triangles of all parts of a file whose faces were counted, float64 [F, 3, 3]."""
    import trimesh  # imported late: it takes a second, and only these files need it

    # trimesh logs every fault that it works around, with a traceback.
    logging.getLogger("trimesh").setLevel(logging.CRITICAL)
    file = io.BytesIO(quantization.with_floats(data))
    scene = trimesh.load_scene(file, file_type="glb", process=False, skip_materials=True)
    mesh = scene.to_mesh()
    return np.asarray(mesh.vertices, np.float64)[mesh.faces].reshape(-1, 3, 3)
