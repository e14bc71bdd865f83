"""Reading mesh files and voxelising them as solids."""

import itertools
import json
import struct

import numpy as np
import pytest
import trimesh

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import grids, meshes

TETRAHEDRON = b"0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n"
TRIANGLE_OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
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


def glb(description, binary=b""):
    """A .glb file of one triangle in the plane z = 0, changed."""
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()
    binary = binary or triangle + bytes([0, 1, 2, 0])
    whole = {
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 3},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5121, "count": 3, "type": "SCALAR"},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    } | description
    text = json.dumps(whole).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def accessor(**changes):
    """Description of a .glb file whose positions are changed."""
    return {
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"} | changes,
            {"bufferView": 1, "componentType": 5121, "count": 3, "type": "SCALAR"},
        ]
    }


def box(low, high):
    low, high = np.array(low, float), np.array(high, float)
    mesh = trimesh.creation.box(extents=high - low)
    mesh.apply_translation((low + high) / 2)
    return mesh


def ell():
    """An L without symmetry in object axes: 4 high, 2 to the front, 1 deep, a heel to +z."""
    return trimesh.util.concatenate(
        [box((0, 0, 0), (1, 4, 1)), box((0, 0, 0), (2, 1, 1)), box((0, 0, 0), (1, 1, 1.5))]
    )


def off(mesh):
    return mesh.export(file_type="off").encode()


def filled(n, *slices):
    voxels = np.zeros((n, n, n), bool)
    for s in slices:
        voxels[s] = True
    return voxels


def test_a_box_is_solid_centred_and_spans_the_grid_exactly():
    voxels = meshes.voxelise(off(box((10, -3, 5), (14, 5, 7))), "a.off", 16, "+y", "+x")
    assert voxels.dtype == bool
    np.testing.assert_array_equal(voxels, filled(16, np.s_[4:12, :, 6:10]))


@pytest.mark.parametrize("n", [8, 32, 33])
def test_a_ball_has_its_volume_and_touches_all_six_sides(n):
    ball = trimesh.creation.icosphere(subdivisions=3)
    voxels = meshes.voxelise(off(ball), "a.off", n, "+y", "+x")
    for axis in range(3):
        assert voxels.any(axis=tuple({0, 1, 2} - {axis}))[[0, -1]].all()
        np.testing.assert_array_equal(voxels, np.flip(voxels, axis))
    # Touched cells belong to it, so that about half a cell is added all around.
    radius = np.cbrt(voxels.sum() * 3 / (4 * np.pi))
    assert n / 2 < radius < n / 2 + 0.75


@pytest.mark.parametrize(
    ("up", "front"),
    [(u, f) for u, f in itertools.product(grids.AXES, repeat=2) if u[1] != f[1]],
)
def test_every_orientation_gives_the_same_object(up, front):
    expected = meshes.voxelise(off(ell()), "a.off", 8, "+y", "+x")
    turned = ell()  # object axes -> the file's axes
    turned.vertices = turned.vertices @ grids.axes_matrix(up, front)
    np.testing.assert_array_equal(meshes.voxelise(off(turned), "a.off", 8, up, front), expected)


def test_the_literal_ell():
    # 4 × 2 × 1.5 units are 7 × 3.5 × 2.625 cells, centred: x from 1.75, z from 2.1875.
    expected = filled(7, np.s_[1:4, :, 2:4], np.s_[1:6, 0:2, 2:4], np.s_[1:4, 0:2, 2:5])
    np.testing.assert_array_equal(meshes.voxelise(off(ell()), "a.off", 7, "+y", "+x"), expected)


@pytest.mark.parametrize("kind", ["off", "obj", "ply", "stl", "glb"])
def test_all_formats_give_the_same_voxels(kind):
    data = trimesh.Scene(ell()).export(file_type=kind) if kind == "glb" else None
    data = data or ell().export(file_type=kind)
    data = data.encode() if isinstance(data, str) else data
    expected = meshes.voxelise(off(ell()), "a.off", 8)
    np.testing.assert_array_equal(meshes.voxelise(data, f"a.{kind.upper()}", 8), expected)


def test_parts_of_a_scene_come_where_the_scene_puts_them():
    scene = trimesh.Scene()
    for x in (0, 7):
        move = trimesh.transformations.translation_matrix([x + 0.5, 0, 0])
        scene.add_geometry(box((-0.5, 0, 0), (0.5, 1, 1)), transform=move)
    voxels = meshes.voxelise(scene.export(file_type="glb"), "a.glb", 15, "+y", "+x")
    expected = filled(15, np.s_[:2, 6:9, 6:9], np.s_[13:, 6:9, 6:9])
    np.testing.assert_array_equal(voxels, expected)


def test_an_open_box_with_a_thin_gap_is_filled():
    faces = box((0, 0, 0), (1, 1, 1)).subdivide().subdivide().subdivide()
    faces.update_faces(np.arange(len(faces.faces)) != 100)  # smaller than a cell of 8³
    assert not faces.is_watertight
    assert meshes.voxelise(off(faces), "a.off", 4).all()


def test_a_sheet_stays_one_cell_thick():
    sheet = b"OFF\n4 1 0\n0 0 0\n1 0 0\n1 0 1\n0 0 1\n4 0 1 2 3\n"
    voxels = meshes.voxelise(sheet, "a.off", 8)
    assert voxels.sum() == 64
    assert voxels[:, 4].all()


def test_a_sliver_is_not_torn():
    sliver = b"OFF\n3 1 0\n0 0 0\n100 100 100\n100 100 100.01\n3 0 1 2\n"
    voxels = meshes.voxelise(sliver, "a.off", 32)
    assert voxels[np.arange(32), np.arange(32), :].any(axis=1).all()


@pytest.mark.parametrize("start", [b"OFF\n4 4 0\n", b"OFF4 4 0\n", b"OFF 4 4 6\n# hm\n\n"])
def test_off_counts_may_stand_on_the_first_line(start):
    assert meshes.load(start + TETRAHEDRON, "a.off").shape == (4, 3, 3)


def test_an_obj_does_not_open_what_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.mtl").write_text("newmtl m\nmap_Kd texture.png\n")
    data = b"mtllib m.mtl\nusemtl m\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    opened = []
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", lambda *a, **k: opened.append(a))
        assert meshes.load(data, "a.obj").shape == (1, 3, 3)
    assert not opened


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
        ("a.ply", ply("binary_little_endian", 10, 1, bytes(30)), "unexpected length"),
        ("a.ply", ply("binary_big_endian", 1, 1, bytes(12) + b"\xff"), "unexpected length"),
        ("a.ply", ply("binary_big_endian", 1, 1, bytes(12) + b"\0junk"), "unexpected length"),
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
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "cannot be read as .glb"),
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


def test_one_mesh_shown_often_counts_as_often(monkeypatch):
    often = {"nodes": [{"mesh": 0}] * 1000, "scenes": [{"nodes": list(range(1000))}]}
    assert len(meshes.load(glb(often), "a.glb")) == 1000
    with monkeypatch.context() as patch:
        patch.setattr(meshes, "MAX_FACES", 999)
        with pytest.raises(UserError, match="has 1000 faces, more than 999"):
            meshes.load(glb(often), "a.glb")
    monkeypatch.setattr("shapenet_posed_masks.formats.mesh_checks._MAX_NODES", 999)
    with pytest.raises(UserError, match="has 1000 nodes, more than 999"):
        meshes.load(glb(often), "a.glb")


def test_obj_indices_may_count_backwards_from_the_last():
    data = TRIANGLE_OBJ + b"v 5 5 5\nf -1/3 -2//1 \\\n 1/1/1\n"
    first, second = meshes.load(data, "a.obj").tolist()
    assert first == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert second == [[5, 5, 5], [0, 1, 0], [0, 0, 0]]
    with pytest.raises(UserError, match="counts corners backwards, with vertices to follow"):
        meshes.load(data + b"v 6 6 6\n", "a.obj")


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


def test_the_size_of_the_chunks_does_not_matter(monkeypatch):
    expected = meshes.voxelise(off(ell()), "a.off", 16)
    monkeypatch.setattr(meshes, "_CHUNK", 100)
    np.testing.assert_array_equal(meshes.voxelise(off(ell()), "a.off", 16), expected)
