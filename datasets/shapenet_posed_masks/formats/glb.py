"""Meshes in .glb files (glTF 2): all the triangles that the file's scene shows.

A mesh with a skin is shown where its joints are. Morph targets are not applied, so such a mesh has
its base shape. A small file can claim, or show again and again, more than fits into memory. So
`count_faces` returns how many triangles `read` would return.
"""

import functools
import json
import struct

import numpy as np

from shapenet_posed_masks.formats import glb_accessors, glb_nodes
from shapenet_posed_masks.formats.mesh_texts import NotSupportedError

_MAX_JSON = 16 << 20  # bytes; the description of a real scene has a few kB
_MAX_NODES = 10_000
_MAX_NUMBER = 1e30  # in the move of a node
_MAX_SETS = 8  # of four joints each, which a point follows; real files have one or two
# glTF's numbers of what corners make; the lower ones are of points and lines.
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
# Extensions that leave the shape as it is, or are handled.
_HARMLESS = (
    "KHR_materials_",
    "KHR_texture_",
    "EXT_texture_",
    "KHR_lights_",
    "KHR_mesh_quantization",
)
_INSTANCES = "EXT_mesh_gpu_instancing"  # shows a mesh at more places, also where it is optional


def count_faces(data: bytes) -> int:
    """Return how many triangles a .glb file shows.

    Raises:
      NotSupportedError: if the file needs something that is not supported.
      ValueError: if the file is damaged. Other exceptions mean damage, too.
    """
    scene, _ = _parse(data)
    if any("uri" in buffer for buffer in scene.get("buffers", [])):
        raise NotSupportedError("keeps its data in other files, or as text, which is not supported")
    optional = [name for name in scene.get("extensionsUsed", []) if name == _INSTANCES]
    for name in [*scene.get("extensionsRequired", []), *optional]:
        if not name.startswith(_HARMLESS):
            raise NotSupportedError(f"needs the extension {name}, which is not supported")
    nodes = scene.get("nodes", [])
    if (count := max(len(nodes), len(_roots(scene)))) > _MAX_NODES:
        raise ValueError(f"it has {count} nodes, more than {_MAX_NODES}")
    glb_nodes.check(nodes)
    moves = ("matrix", "translation", "rotation", "scale")
    numbers = [number for node in nodes for name in moves for number in node.get(name, [])]
    if not all(abs(number) < _MAX_NUMBER for number in numbers):  # False for NaN, too
        raise ValueError("it has a node moved by a value that is infinite or not a number")
    faces = [
        sum(_num_faces(scene, part) for part in mesh["primitives"])
        for mesh in scene.get("meshes", [])
    ]
    return sum(faces[nodes[index]["mesh"]] for index in _shown(scene))


def _parse(data: bytes) -> tuple[dict, bytes]:
    """Return the description of a file, and the data that it describes."""
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    if (magic, version, kind) != (b"glTF", 2, b"JSON") or size > _MAX_JSON:
        raise ValueError("it does not begin as a file of glTF 2 does")
    if length != len(data):
        raise ValueError(f"it is truncated or damaged ({len(data)} bytes instead of {length})")
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def _roots(scene: dict) -> list[int]:
    scenes = scene.get("scenes", [])
    return scenes[scene.get("scene", 0)].get("nodes", []) if scenes else []


def _shown(scene: dict) -> list[int]:
    """Return the indices of the nodes that show a mesh."""
    nodes = scene.get("nodes", [])
    return [index for index in glb_nodes.below(nodes, _roots(scene)) if "mesh" in nodes[index]]


def _num_faces(scene: dict, part: dict) -> int:
    """Return how many triangles a part of a mesh has."""
    mode = part.get("mode", _TRIANGLES)
    corners = part.get("indices", part["attributes"]["POSITION"])
    count = glb_accessors.count(scene, corners)
    if mode == _TRIANGLES:
        if count % 3:
            raise ValueError("it has a face without three corners")
        return count // 3
    if mode in (_STRIP, _FAN):
        return max(count - 2, 0)
    if mode not in range(_TRIANGLES):
        raise ValueError(f"it has {mode} for a mode")
    return 0


def read(data: bytes) -> np.ndarray:
    """Read the triangles of a file whose faces were counted, float64 [F, 3, 3]."""
    scene, binary = _parse(data)
    nodes = scene.get("nodes", [])
    array = functools.partial(glb_accessors.read, scene, binary)
    worlds = glb_nodes.worlds(nodes)
    joints = functools.cache(lambda skin: glb_nodes.joints(scene["skins"][skin], worlds, array))
    with_faces = [
        [part for part in mesh["primitives"] if _num_faces(scene, part)]
        for mesh in scene.get("meshes", [])
    ]
    triangles = [np.zeros([0, 3, 3])]
    for index in _shown(scene):
        node = nodes[index]
        for part in with_faces[node["mesh"]]:
            used, faces = np.unique(_faces(scene, part, array), return_inverse=True)
            attributes = part["attributes"]
            points = array(attributes["POSITION"], used)
            if "skin" in node and "JOINTS_0" in attributes:
                weights = _joined("WEIGHTS", attributes, used, array)
                followed = _joined("JOINTS", attributes, used, array)
                points = glb_nodes.bend(points, followed, weights, joints(node["skin"]))
            else:
                points = glb_nodes.move(points, worlds[index])
            triangles.append(points[faces.reshape(-1, 3)])
    return np.concatenate(triangles)


def _faces(scene, part, array):
    """Return the numbers of the points of each triangle of a part, int [F, 3]."""
    mode = part.get("mode", _TRIANGLES)
    if "indices" in part:
        order = array(part["indices"])[:, 0]
        if order.dtype.kind != "u":
            raise ValueError(f"it has indices of type {order.dtype}")
    else:
        order = np.arange(glb_accessors.count(scene, part["attributes"]["POSITION"]))
    if mode == _TRIANGLES:
        return order.reshape(-1, 3)
    faces = np.lib.stride_tricks.sliding_window_view(order, 3)
    if mode == _FAN:
        faces = np.concatenate([np.full_like(faces[:, :1], order[0]), faces[:, 1:]], axis=1)
    return faces


def _joined(name, attributes, used, array):
    """Return the columns of all attributes of a name: JOINTS_0, JOINTS_1 and so on."""
    count = sum(key.startswith(f"{name}_") for key in attributes)
    if count > _MAX_SETS:
        raise ValueError(f"it has {count} sets of {name}, more than {_MAX_SETS}")
    return np.concatenate([array(attributes[f"{name}_{i}"], used) for i in range(count)], axis=1)
