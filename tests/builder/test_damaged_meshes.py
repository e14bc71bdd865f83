"""Mesh files that are damaged, or claim what they do not have."""

import pytest

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import mesh_texts, meshes
from support.mesh_files import TETRAHEDRON, TRIANGLE_OBJ, glb, ply

FACET = b"""facet
outer loop
vertex 0 0 0
vertex 1 0 0
vertex 0 1 0
endloop
endfacet
"""

STRIPS = ply(3, 0, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n").replace(
    b"element face 0", b"element tristrips 1"
)


def part(**changes):
    """A mesh of one part, with changes."""
    return {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1} | changes]}


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("a.off", b"", "is empty"),
        ("a.off", b"\x00\xff garbage", "does not begin with 'OFF'"),
        ("a.off", b"OFF\nfour 4 0\n" + TETRAHEDRON, "does not say how many"),
        ("a.off", b"OFF\n99999999999 4 0\n" + TETRAHEDRON, "is truncated"),
        ("a.off", b"OFF\n4 3 0\n" + TETRAHEDRON, "4 lines for 3 faces"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n", "a vertex that is not there"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 x 0\n3 0 1 2\n", "cannot be read as .off"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 nan 0\n3 0 1 2\n", "infinite or not numbers"),
        ("a.off", b"OFF\n3 1 0\n1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n", "has no extent"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n", "faces without area"),
        ("a.obj", TRIANGLE_OBJ + b"f 0 1 2\n", "a vertex that is not there"),
        ("a.obj", TRIANGLE_OBJ + b"f x 2 3\nf 1 2 3\n", "cannot be read as .obj"),
        ("a.obj", TRIANGLE_OBJ + b"v 0 0\n", "without three coordinates"),
        ("a.obj", b"f " + b"1 " * 600_000, "has a line of 1200002 bytes"),
        ("a.stl", b"solid\n" + FACET + b"endsolid\nsolid\n" + FACET, "does not end with"),
        ("a.stl", b"solid\n" + FACET.replace(b"vertex 0 1 0", b"") + b"endsolid", "three corners"),
        ("a.stl", bytes(80) + b"\xff\xff\xff\xff" + bytes(50), "is truncated"),
        ("a.ply", ply(3, 2, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"), "4 lines for 5 elements"),
        ("a.ply", ply(3, 1, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n3 0 1 2\n"), "5 lines for 4 elements"),
        ("a.ply", ply(3, 1, b"0 0 0\n1 0 0\n0 1 0\n3 0 1 -1\n"), "is not there"),
        ("a.ply", ply(10**18, 1, b""), "no room for 1000000000000000000 of vertex"),
        ("a.ply", STRIPS, "triangle strips, which are not supported: convert"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 9\n", "a damaged header"),
        ("a.glb", glb(count=10**12), "cannot be read"),
        ("a.glb", glb(count=2), "out of bounds"),
        ("a.glb", glb(count=-5), "it has -5 for a count"),  # which would hide others' faces
        ("a.glb", glb(sparse={"count": 1}), "has sparse, compressed or missing data"),
        ("a.glb", glb({"buffers": [{"uri": "secret.bin", "byteLength": 40}]}), "other files"),
        ("a.glb", glb({"extensionsRequired": ["EXT_mesh_gpu_instancing"]}), "is not supported"),
        ("a.glb", glb({"nodes": [{"mesh": 0, "children": [0]}]}), "contain themselves"),
        ("a.glb", glb({"nodes": [{"mesh": 0, "scale": [1e308] * 3}]}), "infinite or not a number"),
        ("a.glb", glb({"nodes": [{}] * 20_000}), "20000 nodes, more than 10000"),
        ("a.glb", glb({"scenes": [{"nodes": [0] * 20_000}]}), "20000 nodes, more than 10000"),
        ("a.glb", glb({"nodes": [{"children": [1, 1]}, {"mesh": 0}]}), "part of two others"),
        ("a.glb", glb({"nodes": [{"children": [-1]}] * 2}), "part of two others"),
        ("a.glb", glb({"extensionsUsed": ["EXT_mesh_gpu_instancing"]}), "is not supported"),
        ("a.glb", glb({"bufferViews": [{"buffer": 0, "byteStride": 0}] * 2}), "0 bytes apart"),
        ("a.glb", glb({"bufferViews": [{"buffer": 1}] * 2}), "compressed or missing data"),
        ("a.glb", glb({"meshes": [part(mode=7)]}), "it has 7 for a mode"),
        ("a.glb", glb({"meshes": [part(mode=1)]}), "has no faces"),
        ("a.glb", glb({"meshes": [part(indices=0)]}), "it has indices of type float32"),
        ("a.glb", glb({"meshes": [part(indices=2)]}), "cannot be read"),
    ],
)
def test_damaged_files_are_named_with_their_fault(name, data, fault):
    with pytest.raises(UserError) as caught:
        meshes.voxelise(data, f"some/{name}", 8)
    assert str(caught.value).startswith(f"some/{name} ")
    assert fault in str(caught.value)


SHOWN_OFTEN = {"nodes": [{"mesh": 0}] * 4, "scenes": [{"nodes": [0, 1, 2, 3]}]}


@pytest.mark.parametrize(
    ("name", "data"), [("a.off", b"OFF\n4 4 0\n" + TETRAHEDRON), ("a.glb", glb(SHOWN_OFTEN))]
)
def test_too_many_faces_are_refused(monkeypatch, name, data):
    assert len(meshes.load(data, name)) == 4
    monkeypatch.setattr(meshes, "MAX_FACES", 3)
    with pytest.raises(UserError, match="has 4 faces, more than 3"):
        meshes.load(data, name)


def test_too_long_texts_and_too_large_surfaces_are_refused(monkeypatch):
    monkeypatch.setattr(meshes, "_MAX_SAMPLES", 1000)
    with pytest.raises(UserError, match="too many large faces"):
        meshes.voxelise(b"OFF\n4 4 0\n" + TETRAHEDRON, "a.off", 32)
    monkeypatch.setattr(mesh_texts, "_MAX_TEXT", 10)
    with pytest.raises(UserError, match="is a text of 0 MiB"):
        meshes.load(TRIANGLE_OBJ, "a.obj")
