"""Watertight surfaces of voxels, as trimesh meshes.

Voxels are probabilities [N, N, N] in [0, 1], axes x, y, z, occupied above a threshold in (0, 1).
Meshes have glTF's axes: y is up, the front faces +z and the object's right-hand side is −x. The
voxel grid is the cube of side 1 around the origin.
"""

import numpy as np
import trimesh
from skimage import measure

from ptn_semi.visual import shading, voxel_faces

_TAUBIN = 0.5, 0.53  # how far vertices move: towards their neighbours, and back
_REDUCTION_PACE = 5  # of quadric decimation, 0 to 10; from 7 on, thin parts tear more often
# From object axes (front +x, right +z) to glTF's.
_TO_GLTF = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]])


def extract_smooth(voxels: np.ndarray, threshold: float) -> trimesh.Trimesh:
    """Extract the surface at which the probability crosses the threshold, by marching cubes.

    It is watertight, its faces point outward, and it has none if no voxel is occupied.
    """
    if not (voxels > threshold).any():
        return trimesh.Trimesh()
    padded = np.pad(np.asarray(voxels, np.float32), 1)
    vertices, faces, *_ = measure.marching_cubes(padded, threshold, gradient_direction="ascent")
    # Marching cubes puts vertex i at the centre of voxel i.
    return _mesh((vertices - 0.5) / len(voxels) - 0.5, faces)


def extract_blocky(voxels: np.ndarray, threshold: float) -> trimesh.Trimesh:
    """Extract the outer faces of the occupied voxels, as a mesh like that of `extract_smooth`.

    Four faces would meet where two occupied voxels touch along an edge alone, and the mesh would
    not be watertight. There, the more probable of the two voxels beside them is filled too.
    """
    occupied = _without_edge_contacts(np.asarray(voxels), voxels > threshold)
    if not occupied.any():
        return trimesh.Trimesh()
    return _mesh(*voxel_faces.triangulate(occupied))


def smooth_mesh(mesh: trimesh.Trimesh, rounds: int) -> trimesh.Trimesh:
    """Return a mesh with its steps smoothed by Taubin's method, which does not shrink it.

    Each round moves each vertex towards its neighbours and back.
    """
    mesh = mesh.copy()
    # trimesh counts each of the two moves.
    return trimesh.smoothing.filter_taubin(mesh, *_TAUBIN, iterations=2 * rounds)


def reduce_mesh(mesh: trimesh.Trimesh, max_faces: int) -> trimesh.Trimesh:
    """Reduce a watertight mesh to this many triangles, by quadric error.

    The result is watertight. It has more triangles if with fewer the surface would touch itself.
    """
    # Where this number of triangles does not work, slightly fewer are tried first, then more.
    fewer = [max_faces * 0.95**step for step in range(14)]
    more = [max_faces * 1.05**step for step in range(1, 200)]
    for count in map(int, fewer + more):
        if count >= len(mesh.faces):
            break
        result = mesh.simplify_quadric_decimation(face_count=count, aggression=_REDUCTION_PACE)
        if result.is_watertight and result.is_winding_consistent:
            result.visual = mesh.visual
            return result
    return mesh


def paint_mesh(mesh: trimesh.Trimesh, colors: np.ndarray, linear: bool = False) -> trimesh.Trimesh:
    """Return a mesh whose vertices have these colours, sRGB, uint8 [V, 3].

    `linear` converts them to linear RGB and adds a material that shows them, as glTF wants.
    """
    mesh = mesh.copy()
    if not linear:
        mesh.visual = trimesh.visual.ColorVisuals(mesh, vertex_colors=colors)
        return mesh
    share = colors / 255
    share = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    opaque = np.pad(np.round(share * 255).astype(np.uint8), ((0, 0), (0, 1)), constant_values=255)
    mesh.visual = trimesh.visual.TextureVisuals(material=_material([1.0, 1.0, 1.0]))
    mesh.visual.vertex_attributes["color"] = opaque
    return mesh


def to_object_axes(vectors: np.ndarray) -> np.ndarray:
    """Turn vectors [V, 3] from a mesh's axes to object axes."""
    return vectors @ _TO_GLTF


def _without_edge_contacts(voxels: np.ndarray, occupied: np.ndarray) -> np.ndarray:
    """Return `occupied` with voxels added so that no two touch along an edge alone."""
    occupied = occupied.copy()
    while True:
        before = occupied.sum()
        for axis in range(3):
            # Views whose first two axes are those across the edges. Writing into `o` fills voxels.
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


def _mesh(vertices: np.ndarray, faces: np.ndarray) -> trimesh.Trimesh:
    """Create a mesh with the predicted shapes' colour from vertices in object coordinates."""
    mesh = trimesh.Trimesh(vertices @ _TO_GLTF.T, faces, process=False)
    color = [channel / 255 for channel in shading.PREDICTED_COLOR]
    mesh.visual = trimesh.visual.TextureVisuals(material=_material(color))
    return mesh


def _material(color: list[float]) -> trimesh.visual.material.PBRMaterial:
    return trimesh.visual.material.PBRMaterial(
        baseColorFactor=[*color, 1.0], metallicFactor=0.0, roughnessFactor=0.7
    )
