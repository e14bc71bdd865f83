"""Meshes of voxels: watertight, outward, where the voxels are."""

import io

import numpy as np
import pytest
import trimesh

from ptn_semi.visual import surfaces

MAKERS = [surfaces.smooth, surfaces.blocky]


def ball(size=16, radius=6):
    places = np.stack(np.meshgrid(*[np.arange(size) + 0.5 - size / 2] * 3, indexing="ij"))
    return np.clip(0.5 + 0.5 * (radius - np.sqrt((places**2).sum(0))), 0, 1)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", ["glb", "obj"])
def test_files_load_watertight_with_the_right_volume(make, kind):
    data = make(ball(), 0.5).export(file_type=kind)
    file = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    mesh = trimesh.load(file, file_type=kind, force="mesh")
    assert mesh.is_watertight and mesh.is_winding_consistent
    expected = 4 / 3 * np.pi * (6 / 16) ** 3
    assert mesh.volume == pytest.approx(expected, rel=0.05)
    np.testing.assert_allclose(mesh.bounds, [[-0.375] * 3, [0.375] * 3], atol=0.04)


@pytest.mark.parametrize("make", MAKERS)
def test_noise_is_watertight(make):
    voxels = np.random.default_rng(0).random([10, 10, 10])
    mesh = make(voxels, 0.7)
    assert mesh.is_watertight and mesh.volume > 0
    mesh.merge_vertices()
    assert mesh.is_watertight


def rough():
    """A shape of thin and thick parts, with steps."""
    voxels = np.zeros([16, 16, 16], np.float32)
    voxels[2:14, 7:9, 2:14] = 0.8
    voxels[3:5, 1:7, 3:5] = voxels[11:13, 1:7, 11:13] = 0.7
    voxels[2, 9:15, 2:14] = 0.6
    return voxels


@pytest.mark.parametrize("make", MAKERS)
def test_smoothing_evens_out_and_keeps_the_size(make):
    mesh = make((ball() > 0.5).astype(np.float32), 0.5)
    smoothed = surfaces.smoothed(mesh, 10)
    radii = [np.linalg.norm(m.vertices, axis=1) for m in (mesh, smoothed)]
    assert radii[1].std() < 0.8 * radii[0].std()
    assert smoothed.is_watertight and smoothed.volume == pytest.approx(mesh.volume, rel=0.05)


@pytest.mark.parametrize("max_faces", [1000, 500, 250])
@pytest.mark.parametrize("make", MAKERS)
def test_reduced_meshes_stay_closed(make, max_faces):
    mesh = make(rough(), 0.5)
    fewer = surfaces.reduced(mesh, max_faces)
    assert fewer.is_watertight and fewer.volume == pytest.approx(mesh.volume, rel=0.03)
    assert len(fewer.faces) <= 1.1 * max(max_faces, 500)  # blocky ones need more
    assert surfaces.reduced(mesh, len(mesh.faces)) is mesh
    assert surfaces.reduced(mesh, 1).is_watertight


@pytest.mark.parametrize("make", MAKERS)
def test_axes_are_those_of_gltf(make):
    voxels = np.zeros([8, 8, 8])
    voxels[6, 5, 7] = 1  # in front, a little up, at the object's right
    center = make(voxels, 0.5).centroid
    np.testing.assert_allclose(center, [-3.5 / 8, 1.5 / 8, 2.5 / 8], atol=1e-6)


def test_blocks_are_the_voxels():
    voxels = np.zeros([4, 4, 4])
    voxels[1, 1, 1] = voxels[1, 1, 2] = 1
    mesh = surfaces.blocky(voxels, 0.5)
    assert mesh.volume == pytest.approx(2 / 64)
    assert mesh.area == pytest.approx(10 / 16)
    # Touching along an edge: the likelier neighbour is filled.
    voxels[2, 2, 1] = 1
    voxels[1, 2, 1] = 0.4
    mesh = surfaces.blocky(voxels, 0.5)
    assert mesh.is_watertight and mesh.volume == pytest.approx(4 / 64)
    assert mesh.bounds[1, 1] == pytest.approx(0.25)


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_has_no_faces(make):
    assert len(make(np.zeros([4, 4, 4]), 0.5).faces) == 0
    full = make(np.ones([4, 4, 4]), 0.5)
    assert full.is_watertight and full.volume == pytest.approx(1, rel=0.15)


def test_crumbs_go_and_what_touches_at_a_corner_stays():
    voxels = np.zeros((12, 12, 12), np.float32)
    voxels[2:9, 2:9, 2:9] = 0.6
    voxels[9, 9, 9] = 0.5  # touches a corner of the cube
    voxels[0, 0, 0] = 0.9  # touches nothing
    voxels[11, 11, 11] = 0.1  # is not occupied
    whole = surfaces.without_crumbs(voxels, 0.3)
    expected = voxels.copy()
    expected[0, 0, 0] = 0
    np.testing.assert_array_equal(whole, expected)
    empty = np.zeros_like(voxels)
    np.testing.assert_array_equal(surfaces.without_crumbs(empty, 0.3), empty)
