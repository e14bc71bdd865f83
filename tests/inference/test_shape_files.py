"""Files of shapes: sizes, axes, and how meshes are made."""

import numpy as np
import pytest
import trimesh

from ptn_semi import settings
from ptn_semi.inference import shape_files
from ptn_semi.settings import MeshSettings
from ptn_semi.shapes.whole import Shape


def slab():
    """12 × 2 × 6 voxels along x, y and z: the longest side is from back to front."""
    voxels = np.zeros([16, 16, 16], np.float32)
    voxels[2:14, 10:12, 5:11] = 0.9
    return voxels


def write(path, voxels, meshes):
    shape_files.write(path, Shape(voxels, 0.5), voxels, meshes)


def written(path, **options):
    write(path, slab(), MeshSettings(**options))
    return trimesh.load(path, force="mesh")


@pytest.mark.parametrize("kind", settings.MESH_FORMATS)
def test_sizes_are_in_millimetres_or_in_metres_of_glb(tmp_path, kind):
    mesh = written(tmp_path / f"a.{kind}", size_mm=60, surface="blocky")
    unit = 1e-3 if kind == "glb" else 1
    assert mesh.is_watertight
    expected = [30, 10, 60] if kind != "stl" else [30, 60, 10]
    np.testing.assert_allclose(mesh.extents, np.array(expected) * unit, rtol=1e-5)


def test_printers_get_z_up_and_the_front_towards_them(tmp_path):
    voxels = slab()
    voxels[12:14, 12:16, 5:11] = 0.9  # a wall at the front
    write(tmp_path / "a.stl", voxels, MeshSettings("blocky"))
    mesh = trimesh.load(tmp_path / "a.stl", force="mesh")
    assert mesh.is_watertight and mesh.volume == pytest.approx((144 + 48) / 16**3)
    top = mesh.vertices[mesh.vertices[:, 2] > 0.45]
    assert len(top) and (top[:, 1] < -0.2).all()


def test_meshes_are_smoothed_and_reduced_as_asked(tmp_path):
    plain = written(tmp_path / "plain.ply")
    assert written(tmp_path / "few.ply", max_faces=100).faces.shape[0] <= 100
    smooth = written(tmp_path / "smooth.ply", smoothing=5)
    assert len(smooth.faces) == len(plain.faces)
    assert not np.allclose(smooth.vertices, plain.vertices)
