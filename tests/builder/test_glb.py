"""What a .glb file shows: its nodes, kinds of faces, skins and numbers."""

import numpy as np
import pytest

from shapenet_posed_masks.formats import meshes
from support.mesh_files import glb


def test_quantized_positions_have_their_scale():
    corners = np.array([[-32767, 0, 0], [32767, 0, 0], [0, 16384, 0]], np.int16).tobytes()
    description = {
        "bufferViews": [
            {"buffer": 0, "byteLength": 18},
            {"buffer": 0, "byteOffset": 18, "byteLength": 3},
        ],
        "nodes": [{"mesh": 0, "scale": [2, 2, 2]}],
        "extensionsRequired": ["KHR_mesh_quantization"],
    }
    binary = corners + bytes([0, 1, 2, 0, 0, 0])
    data = glb(description, binary, componentType=5122, normalized=True)
    (triangle,) = meshes.load(data, "a.glb")
    np.testing.assert_allclose(triangle, [[-2, 0, 0], [2, 0, 0], [0, 1, 0]], atol=1e-3)


SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
TURNED = {"rotation": [0.5**0.5, 0, 0, 0.5**0.5]}  # y to z


def square(mode, order, **changes):
    """A .glb file of a square, whose corners are listed as a mode asks for."""
    view = {"buffer": 0, "byteOffset": 48, "byteLength": len(order)}
    description = {
        "bufferViews": [{"buffer": 0, "byteLength": 48}, view],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5121, "count": len(order), "type": "SCALAR"},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": mode}]}],
    }
    return glb(description | changes, SQUARE.tobytes() + bytes(order))


@pytest.mark.parametrize(
    ("mode", "order"),
    [(4, [0, 1, 2, 0, 2, 3]), (5, [1, 2, 0, 3]), (6, [0, 1, 2, 3])],
    ids=["triangles", "strip", "fan"],
)
def test_strips_and_fans_of_triangles_are_read(mode, order):
    triangles = meshes.load(square(mode, order), "a.glb")
    halves = sorted(sorted(triangle) for triangle in triangles.tolist())
    assert halves == [sorted(SQUARE[[0, 2, 3]].tolist()), sorted(SQUARE[[0, 1, 2]].tolist())]


def test_meshes_at_and_below_a_camera_are_read():
    cameras = [{"type": "perspective", "perspective": {"yfov": 0.7, "znear": 0.1}}]
    nodes = [
        {"camera": 0, "mesh": 0, "children": [1], "translation": [5, 0, 0]},
        {"mesh": 0, "translation": [0, 3, 0], "scale": [2, 2, 2]},
    ]
    at, below = meshes.load(glb({"cameras": cameras, "nodes": nodes}), "a.glb").tolist()
    assert at == [[5, 0, 0], [6, 0, 0], [5, 1, 0]]
    assert below == [[5, 3, 0], [7, 3, 0], [5, 5, 0]]


def test_nodes_may_be_nested_deep():
    nodes = [{"children": [i], "translation": [1, 0, 0]} for i in range(1, 300)] + [{"mesh": 0}]
    (triangle,) = meshes.load(glb({"nodes": nodes}), "a.glb")
    np.testing.assert_allclose(triangle[:, 0], [299, 300, 299])


def test_only_the_scene_that_is_shown_is_read():
    nodes = [{"mesh": 0}, {"mesh": 0, "translation": [0, 0, 4]}, {"mesh": 0}]
    scenes = {"scene": 1, "scenes": [{"nodes": [0]}, {"nodes": [1]}]}
    (triangle,) = meshes.load(glb({"nodes": nodes} | scenes), "a.glb")
    assert (triangle[:, 2] == 4).all()


def skinned(*joints, inverses=()):
    """A .glb file of a triangle on a turned node; its first two corners follow joint 0."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    followed = np.array([[0] * 4, [0] * 4, [len(joints) - 1, 0, 0, 0]], np.uint8)
    weights = np.array([[255, 0, 0, 0]] * 3, np.uint8)
    parts = [positions, bytes([0, 1, 2, 0]), followed, weights, *inverses]
    kinds = [(5126, 3, "VEC3"), (5121, 3, "SCALAR"), (5121, 3, "VEC4"), (5121, 3, "VEC4")]
    kinds += [(5126, len(joints), "MAT4")] * len(inverses)
    views, accessors, binary = [], [], b""
    for data, (number, count, kind) in zip(parts, kinds, strict=True):
        data = bytes(data) if isinstance(data, bytes) else data.tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        accessors.append({"componentType": number, "count": count, "type": kind})
        accessors[-1] |= {"bufferView": len(views) - 1, "normalized": len(views) == 4}
        binary += data
    attributes = {"POSITION": 0, "JOINTS_0": 2, "WEIGHTS_0": 3}
    skin = {"joints": list(range(1, 1 + len(joints)))}
    skin |= {"inverseBindMatrices": 4} if inverses else {}
    description = {
        "bufferViews": views,
        "accessors": accessors,
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 1}]}],
        "nodes": [{"mesh": 0, "skin": 0, **TURNED, "translation": [9, 9, 9]}, *joints],
        "skins": [skin],
    }
    return glb(description, binary)


def test_a_skinned_mesh_is_where_its_joints_are():
    (still,) = meshes.load(skinned({}), "a.glb")
    assert still.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]  # its own node does not move it
    (bent,) = meshes.load(skinned({"translation": [0, 0, 2]}, {"scale": [1, 5, 1]}), "a.glb")
    assert bent.tolist() == [[0, 0, 2], [1, 0, 2], [0, 5, 0]]
    back = np.eye(4, dtype=np.float32)
    back[3, :3] = 0, 0, -2  # columns come first
    moved = skinned({"translation": [0, 0, 2]}, inverses=[back])
    np.testing.assert_allclose(meshes.load(moved, "a.glb"), [still], atol=1e-6)
    (turned,) = meshes.load(skinned(TURNED), "a.glb")
    np.testing.assert_allclose(turned, [[0, 0, 0], [1, 0, 0], [0, 0, 1]], atol=1e-6)


def test_the_base_of_a_mesh_with_sparse_morph_targets_is_read():
    target = {"componentType": 5126, "count": 4, "type": "VEC3", "sparse": {"count": 1}}
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
        {"bufferView": 1, "componentType": 5121, "count": 6, "type": "SCALAR"},
        target,
    ]
    part = {"attributes": {"POSITION": 0}, "indices": 1, "targets": [{"POSITION": 2}]}
    changes = {"accessors": accessors, "meshes": [{"primitives": [part]}]}
    triangles = meshes.load(square(4, [0, 1, 2, 0, 2, 3], **changes), "a.glb")
    np.testing.assert_array_equal(triangles, SQUARE[[[0, 1, 2], [0, 2, 3]]])
