"""Positions of .glb files that are stored as fractions of whole numbers (KHR_mesh_quantization)."""

import json
import struct

import numpy as np

# glTF's component types, and the number that stands for 1.
_TYPES = {5120: ("<i1", 127), 5121: ("<u1", 255), 5122: ("<i2", 32767), 5123: ("<u2", 65535)}
_FLOAT = 5126


def with_floats(data: bytes) -> bytes:
    """Return a .glb file, whose faces were counted, with its positions as floats.

    trimesh reads only these. A file without fractions is returned as it is.
    """
    (size,) = struct.unpack_from("<I", data, 12)
    scene, binary = json.loads(data[20 : 20 + size]), data[28 + size :]
    parts = [part for mesh in scene.get("meshes", []) for part in mesh["primitives"]]
    used = sorted({part["attributes"]["POSITION"] for part in parts})
    changed = [scene["accessors"][i] for i in used if scene["accessors"][i].get("normalized")]
    for accessor in changed:
        positions = _fractions(accessor, scene["bufferViews"][accessor["bufferView"]], binary)
        binary += b"\0" * (-len(binary) % 4)
        view = {"buffer": 0, "byteOffset": len(binary), "byteLength": positions.nbytes}
        binary += positions.tobytes()
        accessor |= {"bufferView": len(scene["bufferViews"]), "componentType": _FLOAT}
        accessor |= {"byteOffset": 0, "normalized": False}
        scene["bufferViews"].append(view)
    if not changed:
        return data
    scene["buffers"][0]["byteLength"] = len(binary)
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _fractions(accessor, view, binary):
    """Read positions, float32 [count, 3]."""
    kind, whole = _TYPES[accessor["componentType"]]
    number = np.dtype(kind)
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    strides = (view.get("byteStride", 3 * number.itemsize), number.itemsize)
    values = np.ndarray((accessor["count"], 3), number, binary, start, strides)
    return np.maximum(values.astype(np.float32) / whole, -1)  # the lowest number stands for -1, too
