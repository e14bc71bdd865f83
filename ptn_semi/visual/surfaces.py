"""Watertight surfaces of voxels, as trimesh meshes.

Meshes have glTF's axes: y up, the front faces +z, the object's right-hand side is −x; the voxel
grid is the cube of side 1 about the origin.
"""

import numpy as np
import trimesh
from skimage import measure

from ptn_semi.visual import shading

# From object axes (front +x, right +z) to glTF's.
_TO_GLTF = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]])


def smooth(voxels, threshold):
    """The surface at which the probability crosses the threshold, by marching cubes.

    Args:
      voxels: [N, N, N] probabilities in [0, 1], axes x, y, z.
      threshold: in (0, 1).

    Returns:
      A watertight `trimesh.Trimesh` with outward faces; without faces if nothing is occupied.
    """
    if not (voxels > threshold).any():
        return trimesh.Trimesh()
    padded = np.pad(np.asarray(voxels, np.float32), 1)
    vertices, faces, *_ = measure.marching_cubes(padded, threshold, gradient_direction="ascent")
    # Marching cubes puts vertex i at the centre of voxel i.
    return _mesh((vertices - 0.5) / len(voxels) - 0.5, faces)


def blocky(voxels, threshold):
    """The outsides of the occupied voxels.

    Where two occupied voxels would touch along an edge only, the likelier voxel beside them is
    filled too: four faces would meet in that edge, and the mesh would not be watertight.

    Args:
      voxels: [N, N, N] probabilities in [0, 1], axes x, y, z.
      threshold: in (0, 1).

    Returns:
      As `smooth`.
    """
    occupied = _without_edge_contacts(np.asarray(voxels), voxels > threshold)
    voxel, normal = shading.exposed_faces(occupied)
    if not len(voxel):
        return trimesh.Trimesh()
    # A face's corners, counter-clockwise seen from outside.
    first = np.roll(np.abs(normal), 1, axis=1)
    second = np.cross(normal, first)
    middle = voxel + 0.5 + 0.5 * normal
    steps = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    corners = np.stack([middle + 0.5 * (a * first + b * second) for a, b in steps], axis=1)
    vertices, index = np.unique(
        corners.reshape(-1, 3).round().astype(int), axis=0, return_inverse=True
    )
    quads = index.reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return _mesh(vertices / len(occupied) - 0.5, faces)


def _without_edge_contacts(voxels, occupied):
    """`occupied` with voxels added so that no two touch along an edge alone."""
    occupied = occupied.copy()
    while True:
        before = occupied.sum()
        for axis in range(3):
            # Views whose first two axes are those across the edges; writing into them fills.
            o, v = (np.moveaxis(array, axis, 2) for array in (occupied, voxels))
            corners = [(slice(None, -1), slice(None, -1)), (slice(1, None), slice(1, None))]
            others = [(slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))]
            for (a, b), (c, d) in ((corners, others), (others, corners)):
                alone = o[a] & o[b] & ~o[c] & ~o[d]
                likelier = v[c] >= v[d]
                o[c] |= alone & likelier
                o[d] |= alone & ~likelier
        if occupied.sum() == before:
            return occupied


def _mesh(vertices, faces):
    mesh = trimesh.Trimesh(vertices @ _TO_GLTF.T, faces, process=False)
    color = [channel / 255 for channel in shading.PREDICTED_COLOR]
    material = trimesh.visual.material.PBRMaterial(
        baseColorFactor=[*color, 1.0], metallicFactor=0.0, roughnessFactor=0.7
    )
    mesh.visual = trimesh.visual.TextureVisuals(material=material)
    return mesh
