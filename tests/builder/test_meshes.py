"""Reading mesh files and voxelising them as solids."""

import re

import numpy as np
import pytest
import trimesh

from shapenet_posed_masks.formats import meshes
from support.mesh_files import TRIANGLE_OBJ, ply


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


@pytest.mark.parametrize("n", [8, 33])
def test_a_ball_has_its_volume_and_touches_all_six_sides(n):
    ball = trimesh.creation.icosphere(subdivisions=3)
    voxels = meshes.voxelise(off(ball), "a.off", n, "+y", "+x")
    for axis in range(3):
        assert voxels.any(axis=tuple({0, 1, 2} - {axis}))[[0, -1]].all()
        np.testing.assert_array_equal(voxels, np.flip(voxels, axis))
    # Touched cells belong to it, so that about half a cell is added all around.
    radius = np.cbrt(voxels.sum() * 3 / (4 * np.pi))
    assert n / 2 < radius < n / 2 + 0.75


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


@pytest.mark.parametrize(("size", "turned"), [(32, False), (64, True)])
def test_meshes_of_voxels_come_back_exactly(size, turned):
    table = filled(32, np.s_[:, -1], *(np.s_[x, :, z] for x in (0, -1) for z in (0, -1)))
    mesh = trimesh.voxel.VoxelGrid(table).as_boxes()
    if turned:  # inside out
        mesh.invert()
    mesh.apply_scale(0.037)
    mesh.apply_translation((3, 7, -11))
    expected = np.kron(table, np.ones((size // 32,) * 3, bool))
    np.testing.assert_array_equal(meshes.voxelise(off(mesh), "a.off", size, "+y", "+x"), expected)


def test_boxes_that_overlap_on_a_grid_are_joined():
    parts = [box((0, 0, 0), (8, 1, 8)), box((0, 0, 0), (1, 8, 1)), box((7, 0, 7), (8, 8, 8))]
    voxels = meshes.voxelise(off(trimesh.util.concatenate(parts)), "a.off", 8, "+y", "+x")
    expected = filled(8, np.s_[:, 0], np.s_[0, :, 0], np.s_[7, :, 7])
    np.testing.assert_array_equal(voxels, expected)


def inverted(mesh):
    mesh = mesh.copy()
    mesh.invert()
    return mesh


LEG = box((0, 0, 0), (1, 8, 1))  # it reaches into the top, and lies flush with its sides


@pytest.mark.parametrize(
    "leg",
    [
        [inverted(LEG)],
        [LEG, LEG],
        [LEG, inverted(LEG)],
        [LEG, inverted(box((0, 4, 0), (1, 8, 1)))],
    ],
    ids=["inside out", "twice", "double-sided", "half of it twice"],
)
def test_parts_on_a_grid_stay_whatever_their_faces_side(leg):
    parts = [box((0, 7, 0), (8, 8, 8)), box((7, 0, 7), (8, 7, 8)), *leg]
    voxels = meshes.voxelise(off(trimesh.util.concatenate(parts)), "a.off", 8, "+y", "+x")
    expected = filled(8, np.s_[:, 7], np.s_[0, :, 0], np.s_[7, :, 7])
    np.testing.assert_array_equal(voxels, expected)


@pytest.mark.parametrize("sides", [1, 2])
def test_a_sheet_beside_boxes_on_a_grid_stays(sides):
    back = box((0, 2, 0), (1, 8, 8))
    back.update_faces(back.face_normals[:, 0] < 0)  # the sheet at x = 0
    parts = [box((0, 0, 0), (8, 2, 8)), *[back, inverted(back)][:sides]]
    voxels = meshes.voxelise(off(trimesh.util.concatenate(parts)), "a.off", 8, "+y", "+x")
    expected = filled(8, np.s_[:, :3], np.s_[0])
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


@pytest.mark.parametrize("kind", ["obj", "stl"])
@pytest.mark.parametrize(
    "far",
    [
        [[0, 0, 0]] * 3,
        [[0, 0, 0], [0, 0, 0], [1000, 3, 7]],
        [[0, 0, 0], [0.1, 0.3, 0.7], [1, 3, 7]],
    ],
    ids=["point", "two points", "line"],
)
def test_faces_without_area_do_not_count(kind, far):
    chair = ell()
    chair.apply_translation((1000, 10, -300))
    expected = meshes.voxelise(off(chair), "a.off", 16)
    vertices = np.concatenate([chair.vertices, far])
    faces = np.concatenate([chair.faces, [np.arange(3) + len(chair.vertices)]])
    data = trimesh.Trimesh(vertices, faces, process=False).export(file_type=kind)
    data = data.encode() if isinstance(data, str) else data
    np.testing.assert_array_equal(meshes.voxelise(data, f"a.{kind}", 16), expected)


def test_obj_indices_may_count_backwards_from_the_newest():
    data = TRIANGLE_OBJ + b"v 5 5 5\nf -1/3 -2//1 \\\n 1/1/1\n"
    first, second = meshes.load(data, "a.obj").tolist()
    assert first == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert second == [[5, 5, 5], [0, 1, 0], [0, 0, 0]]
    more = meshes.load(data + b"v 6 6 6\nf -1 -2 -3\n", "a.obj").tolist()
    assert more == [first, second, [[6, 6, 6], [5, 5, 5], [0, 1, 0]]]


SIDE = [(0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (0, 3)]  # an L in the plane z = 0, its area 6
PRISM = [(x, y, z) for z in (0, 1) for x, y in SIDE]


def concave(kind, first):
    """A prism whose ends are concave polygons, which begin with a given corner."""
    around = np.roll(range(6), -first)
    faces = [around[::-1], around + 6]
    faces += [np.array([i, (i + 1) % 6, (i + 1) % 6 + 6, i + 6]) for i in range(6)]
    row = lambda *words: " ".join(map(str, words)) + "\n"
    if kind == "obj":
        lines = [row("v", *corner) for corner in PRISM] + [row("f", *face + 1) for face in faces]
        return "".join(lines).encode()
    lines = [row(*corner) for corner in PRISM] + [row(len(face), *face) for face in faces]
    body = "".join(lines).encode()
    return ply(12, 8, body) if kind == "ply" else b"OFF\n12 8 0\n" + body


@pytest.mark.parametrize("kind", ["off", "obj", "ply"])
@pytest.mark.parametrize("first", [0, 3])
def test_concave_polygons_are_not_filled(kind, first):
    triangles = meshes.load(concave(kind, first), f"a.{kind}")
    ends = triangles[np.ptp(triangles[..., 2], axis=1) == 0]
    area = np.linalg.norm(np.cross(*np.diff(ends, axis=1).transpose(1, 0, 2)), axis=1).sum() / 2
    assert area == pytest.approx(12)


def _is_vertex(line):
    return line.startswith(b"v")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a.obj", lambda data: data.replace(b"v ", b"\tv\t").replace(b"\n", b" \r\n")),
        ("a.obj", lambda data: b"\xef\xbb\xbf" + data),
        ("a.obj", lambda data: b"".join(sorted(data.splitlines(True), key=_is_vertex))),
        ("a.off", lambda data: data.replace(b"OFF\n", b"OFF # counts on the first line\n#\n\n")),
        ("a.off", lambda data: data.replace(b"OFF\n", b"OFF")),
        ("a.off", lambda data: re.sub(rb"(?<=\n6 )\d+ \d+ ", lambda match: match[0] + b"\n", data)),
        ("a.ply", lambda data: data + b"\n\n"),
    ],
    ids=["tabs", "mark", "faces first", "comments", "one line", "over lines", "more at the end"],
)
def test_texts_as_programs_write_them_are_read(name, change):
    data = concave(name[2:], 0)
    expected = meshes.load(data, name)
    np.testing.assert_array_equal(meshes.load(change(data), name), expected)


def test_stl_files_as_programs_write_them_are_read():
    expected = ell().triangles
    binary = ell().export(file_type="stl")
    text = ell().export(file_type="stl_ascii").encode()
    for data in (binary, binary + b"\0\0", text, text.replace(b"endsolid", b"end solid")):
        np.testing.assert_allclose(meshes.load(data, "a.stl"), expected, atol=1e-6)
