"""Mesh files for tests."""

import json
import struct

import numpy as np

TETRAHEDRON = b"0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n"
TRIANGLE_OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def ply(num_vertices, num_faces, body, kind="ascii"):
    """A .ply file with the header of a mesh and any body."""
    header = f"ply\nformat {kind} 1.0\nelement vertex {num_vertices}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += f"element face {num_faces}\nproperty list uchar int vertex_indices\nend_header\n"
    return header.encode() + body


def glb(description=None, binary=b"", **positions):
    """A .glb file of one triangle in the plane z = 0, with changes.

    Args:
      description: changed parts of the scene.
      binary: the buffer, instead of the triangle's.
      positions: changes of the accessor of the positions.
    """
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()
    binary = binary or triangle + bytes([0, 1, 2, 0])
    whole = {
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 3},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"} | positions,
            {"bufferView": 1, "componentType": 5121, "count": 3, "type": "SCALAR"},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    } | (description or {})
    text = json.dumps(whole).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
