"""Meshes of voxels: watertight, outward, where the voxels are."""

import numpy as np
import pytest

from ptn_semi.visual import surfaces, voxel_faces

MAKERS = pytest.mark.parametrize("make", [surfaces.extract_smooth, surfaces.extract_blocky])


def ball(size=16, radius=6):
    places = np.stack(np.meshgrid(*[np.arange(size) + 0.5 - size / 2] * 3, indexing="ij"))
    return np.clip(0.5 + 0.5 * (radius - np.sqrt((places**2).sum(0))), 0, 1)


def rough():
    """A shape of thin and thick parts, with steps."""
    voxels = np.zeros([16, 16, 16], np.float32)
    voxels[2:14, 7:9, 2:14] = 0.8
    voxels[3:5, 1:7, 3:5] = voxels[11:13, 1:7, 11:13] = 0.7
    voxels[2, 9:15, 2:14] = 0.6
    return voxels


@MAKERS
def test_meshes_enclose_the_volume_of_the_shape(make):
    for voxels, volume in ((ball(), 4 / 3 * np.pi * (6 / 16) ** 3), (np.ones([8, 8, 8]), 1)):
        mesh = make(voxels, 0.5)
        assert mesh.is_watertight and mesh.is_winding_consistent
        assert mesh.volume == pytest.approx(volume, rel=0.1)


@MAKERS
def test_noise_is_watertight_and_nothing_has_no_faces(make):
    mesh = make(np.random.default_rng(0).random([10, 10, 10]), 0.7)
    assert mesh.is_watertight and mesh.volume > 0
    mesh.merge_vertices()
    assert mesh.is_watertight
    assert len(make(np.zeros([4, 4, 4]), 0.5).faces) == 0


@MAKERS
def test_smoothing_evens_out_and_keeps_the_size(make):
    mesh = make((ball() > 0.5).astype(np.float32), 0.5)
    smooth = surfaces.smooth_mesh(mesh, 10)
    radii = [np.linalg.norm(m.vertices, axis=1) for m in (mesh, smooth)]
    assert radii[1].std() < 0.8 * radii[0].std()
    assert smooth.is_watertight and smooth.volume == pytest.approx(mesh.volume, rel=0.05)


@MAKERS
def test_reduced_meshes_stay_closed(make):
    mesh = make(rough(), 0.5)
    for max_faces in (1000, 500, 250):
        fewer = surfaces.reduce_mesh(mesh, max_faces)
        assert fewer.is_watertight and fewer.volume == pytest.approx(mesh.volume, rel=0.03)
        assert len(fewer.faces) <= 1.1 * max(max_faces, 500)  # blocky ones need more
    assert surfaces.reduce_mesh(mesh, len(mesh.faces)) is mesh
    assert surfaces.reduce_mesh(mesh, 1).is_watertight


@MAKERS
def test_axes_are_those_of_gltf(make):
    voxels = np.zeros([8, 8, 8])
    voxels[6, 5, 7] = 1  # in front, a little up, at the object's right
    center = make(voxels, 0.5).centroid
    np.testing.assert_allclose(center, [-3.5 / 8, 1.5 / 8, 2.5 / 8], atol=1e-6)


def test_blocks_are_the_voxels():
    voxels = np.zeros([4, 4, 4])
    voxels[1, 1, 1] = voxels[1, 1, 2] = 1
    assert len(voxel_faces.exposed_faces(voxels > 0)[0]) == 10  # the two share a wall
    mesh = surfaces.extract_blocky(voxels, 0.5)
    assert mesh.volume == pytest.approx(2 / 64)
    assert mesh.area == pytest.approx(10 / 16)
    # Where voxels touch along an edge alone, the likelier neighbour is filled.
    voxels[2, 2, 1] = 1
    voxels[1, 2, 1] = 0.4
    mesh = surfaces.extract_blocky(voxels, 0.5)
    assert mesh.is_watertight and mesh.volume == pytest.approx(4 / 64)
    assert mesh.bounds[1, 1] == pytest.approx(0.25)
