"""Mesh files that are damaged, or claim what they do not have."""

import pytest

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import meshes
from support.mesh_files import TETRAHEDRON, TRIANGLE_OBJ, glb

FACET = b"""facet
outer loop
vertex 0 0 0
vertex 1 0 0
vertex 0 1 0
endloop
endfacet
"""


def ply(kind, num_vertices, num_faces, body):
    header = f"ply\nformat {kind} 1.0\nelement vertex {num_vertices}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += f"element face {num_faces}\nproperty list uchar int vertex_indices\nend_header\n"
    return header.encode() + body


STRIPS = ply("ascii", 3, 0, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n").replace(
    b"element face 0", b"element tristrips 1"
)


def accessor(**changes):
    """Description of a .glb file whose positions are changed."""
    return {
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"} | changes,
            {"bufferView": 1, "componentType": 5121, "count": 3, "type": "SCALAR"},
        ]
    }


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("a.off", b"", "is empty"),
        ("a.gltf", b"{}", "is no mesh that can be read"),
        ("a.off", b"\x00\xff garbage", "does not begin with 'OFF'"),
        ("a.off", b"OFF", "does not say how many"),
        ("a.off", b"OFF\nfour 4 0\n" + TETRAHEDRON, "does not say how many"),
        ("a.off", b"OFF\n4 4 0\n" + TETRAHEDRON[:50], "is truncated"),
        ("a.off", b"OFF\n4 99999999999 0\n" + TETRAHEDRON, "is truncated"),
        ("a.off", b"OFF\n99999999999 4 0\n" + TETRAHEDRON, "is truncated"),
        ("a.off", b"OFF\n4 0 0\n" + TETRAHEDRON[:24], "has no faces"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n", "cannot be read as .off"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 x 0\n3 0 1 2\n", "cannot be read as .off"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 nan 0\n3 0 1 2\n", "infinite or not numbers"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 inf 0\n3 0 1 2\n", "infinite or not numbers"),
        (
            "a.off",
            b"OFF\n3 1 0\n-1e308 0 0\n1e308 0 0\n0 1 0\n3 0 1 2\n",
            "infinite or not numbers",
        ),
        ("a.off", b"OFF\n3 1 0\n1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n", "has no extent"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n", "faces without area"),
        ("a.obj", b"v 0 0 0\nv 1 1 1\n", "has no faces"),
        ("a.obj", b"\x00\xff garbage", "has no faces"),
        ("a.ply", b"\x00\xff garbage", "cannot be read as .ply"),
        ("a.stl", b"\x00\xff garbage", "cannot be read as .stl"),
        ("a.glb", b"\x00\xff garbage", "cannot be read as .glb"),
        # What is short of, or goes beyond, what the file itself says.
        ("a.off", b"OFF\n4 3 0\n" + TETRAHEDRON, "4 lines for 3 faces"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n9 0 1 2\n", "a face lacks corners"),
        ("a.off", b"OFF\n3 2 0\n0 0 0\n1 0 0\n0 1 0\n-1 0\n3 0 1 2\n", "b'-1' for a count"),
        ("a.obj", TRIANGLE_OBJ + b"f 0 1 2\n", "a vertex that is not there"),
        ("a.obj", TRIANGLE_OBJ + b"f -9 1 2\n", "a vertex that is not there"),
        ("a.obj", TRIANGLE_OBJ + b"f 1 2 99999999999999\n", "a vertex that is not there"),
        ("a.obj", TRIANGLE_OBJ + b"f x 2 3\nf 1 2 3\n", "cannot be read as .obj"),
        ("a.obj", TRIANGLE_OBJ + b"v 0 0\n", "cannot be read as .obj"),
        ("a.obj", b"f " + b"1 " * 600_000, "has a line of 1200002 bytes"),
        ("a.stl", b"solid\n" + FACET + b"endsolid\nsolid\n" + FACET, "does not end with"),
        ("a.stl", b"solid\n" + FACET.replace(b"vertex 0 1 0", b"") + b"endsolid", "three corners"),
        ("a.stl", bytes(80) + b"\xff\xff\xff\xff" + bytes(50), "is truncated"),
        ("a.ply", ply("ascii", 3, 2, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"), "4 lines for 5 elements"),
        ("a.ply", ply("ascii", 3, 0, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"), "4 lines for 3 elements"),
        ("a.ply", ply("ascii", 3, 1, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 -1\n"), "is not there"),
        ("a.ply", ply("ascii", 10**18, 1, b""), "no room for 1000000000000000000 of vertex"),
        ("a.ply", ply("binary_little_endian", 10, 1, bytes(30)), "early end-of-file"),
        ("a.ply", ply("binary_big_endian", 1, 1, bytes(12) + b"\xff"), "early end-of-file"),
        ("a.ply", ply("binary_big_endian", 1, 1, bytes(12) + b"\0"), "has no faces"),
        ("a.ply", STRIPS, "triangle strips, which are not supported"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement face -1\nend_header\n", "b'-1' for a count"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 9\n", "a damaged header"),
    ],
)
def test_damaged_files_are_named_with_their_fault(name, data, fault):
    with pytest.raises(UserError) as caught:
        meshes.voxelise(data, f"some/{name}", 8)
    assert str(caught.value).startswith(f"some/{name} ")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("description", "fault"),
    [
        (accessor(count=10**12), "no room for 1000000000000 numbers"),
        (accessor(count=-1), "negative or fractional size"),
        (accessor(count=2.5), "negative or fractional size"),
        (accessor(count=2), "a vertex that is not there"),
        (accessor(byteOffset=-12), "negative or fractional size"),
        (accessor(byteOffset=4), "no room for 3"),
        ({"accessors": [{"componentType": 5126, "count": 10**12, "type": "VEC3"}]}, "missing data"),
        (accessor(sparse={"count": 1}), "has sparse"),
        (accessor(bufferView=-1), "asks for number -1 of 2"),
        ({"bufferViews": [{"buffer": 0, "byteLength": 36, "byteStride": 1}] * 2}, "negative or"),
        ({"bufferViews": [{"buffer": 0, "byteLength": 400}] * 2}, "no room for"),
        ({"buffers": [{"uri": "secret.bin", "byteLength": 40}]}, "keeps its data in other files"),
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "KHR_draco_mesh_compression"),
        ({"extensionsRequired": ["EXT_mesh_gpu_instancing"]}, "which is not supported"),
        ({"nodes": [{"mesh": 0, "children": [0]}]}, "part of two others, or of itself"),
        ({"nodes": [{"children": [1, 1]}, {"mesh": 0}]}, "part of two others, or of itself"),
        ({"scenes": [{"nodes": [0] * 200_000}]}, "200000 nodes, more than 10000"),
        ({"nodes": [{}] * 200_000, "scenes": []}, "200000 nodes, more than 10000"),
        ({"nodes": [{"children": [i, i]} for i in range(1, 60)] + [{}]}, "part of two others"),
        ({"nodes": [{"children": [i]} for i in range(1, 200)] + [{"mesh": 0}]}, "or too deep"),
        ({"scenes": [{"nodes": [-1]}]}, "asks for number -1 of 1"),
        ({"nodes": [{"mesh": 0, "translation": [0, 0, float("nan")]}]}, "not a number"),
        ({"nodes": [{"mesh": 0, "matrix": [1e308] * 16}]}, "not a number"),
        ({"nodes": []}, "cannot be read as .glb"),
        ({"scenes": [{}]}, "has no faces"),
    ],
)
def test_damaged_glb_files_are_named_with_their_fault(description, fault):
    with pytest.raises(UserError) as caught:
        meshes.voxelise(glb(description), "some/a.glb", 8)
    assert str(caught.value).startswith("some/a.glb ")
    assert fault in str(caught.value)


def test_a_glb_file_cut_anywhere_is_refused():
    data = glb({})
    assert meshes.load(data, "a.glb").tolist() == [[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]
    for length in range(len(data)):
        with pytest.raises(UserError):
            meshes.load(data[:length], "a.glb")


def test_texts_may_not_be_endless(monkeypatch):
    monkeypatch.setattr("shapenet_posed_masks.formats.mesh_checks._MAX_TEXT", 10)
    with pytest.raises(UserError, match="is a text of 0 MiB"):
        meshes.load(TRIANGLE_OBJ, "a.obj")


def test_too_many_faces_and_too_much_surface(monkeypatch):
    monkeypatch.setattr(meshes, "MAX_FACES", 3)
    with pytest.raises(UserError, match="has 4 faces, more than 3"):
        meshes.load(b"OFF\n4 4 0\n" + TETRAHEDRON, "a.off")
    monkeypatch.undo()
    monkeypatch.setattr(meshes, "_MAX_SAMPLES", 1000)
    with pytest.raises(UserError, match="too many large faces"):
        meshes.voxelise(b"OFF\n4 4 0\n" + TETRAHEDRON, "a.off", 32)
