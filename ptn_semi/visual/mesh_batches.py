"""Surfaces of several shapes in arrays of one size, as TensorBoard's mesh dashboard takes them."""

from collections.abc import Sequence

import numpy as np
from skimage import measure

from ptn_semi.visual import voxel_faces

_MAX_VERTICES = 2**16  # The dashboard numbers vertices in 16 bits.
_HEIGHT_COLORS = np.array([[72, 62, 140], [38, 150, 148], [248, 214, 92]])  # bottom to top


def batch_meshes(occupied: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Compute the surfaces of several shapes, padded to one size and coloured by height.

    A surface can have more vertices than the dashboard can number, but only if N > 39. The grid is
    then halved by maximum pooling until it has few enough.

    Args:
      occupied: B arrays, bool [N, N, N]; an empty one gives a single point.

    Returns:
      `vertices`, float32 [B, V, 3], `faces`, int32 [B, F, 3], and `colors`, uint8 [B, V, 3].
      Vertices are padded with the first vertex, and faces with triangles without area.
    """
    meshes = []
    for shape in occupied:
        vertices, faces = voxel_faces.triangulate(shape)
        while len(vertices) > _MAX_VERTICES:
            shape = measure.block_reduce(shape, 2, np.max)
            vertices, faces = voxel_faces.triangulate(shape)
        meshes.append((vertices, faces))
    num_vertices = max([1, *(len(vertices) for vertices, _ in meshes)])
    num_faces = max([1, *(len(faces) for _, faces in meshes)])
    batch_vertices = np.zeros([len(meshes), num_vertices, 3], np.float32)
    batch_faces = np.zeros([len(meshes), num_faces, 3], np.int32)
    for number, (vertices, faces) in enumerate(meshes):
        if len(vertices):
            batch_vertices[number] = vertices[0]
            batch_vertices[number, : len(vertices)] = vertices
            batch_faces[number, : len(faces)] = faces
    height = batch_vertices[..., 1]
    colors = np.stack([np.interp(height, (-0.5, 0, 0.5), c) for c in _HEIGHT_COLORS.T], axis=-1)
    return {
        "vertices": batch_vertices,
        "faces": batch_faces,
        "colors": colors.round().astype(np.uint8),
    }
