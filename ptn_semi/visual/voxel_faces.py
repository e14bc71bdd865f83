"""The outer faces of voxels, as squares and as a triangle mesh."""

import numpy as np


def exposed_faces(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the unit faces of occupied voxels, bool [N, N, N], towards empty ones or the outside.

    Returns:
      The occupied voxel of each face, int [F, 3], and its outward normal, int [F, 3], one of
      (±1, 0, 0), (0, ±1, 0), (0, 0, ±1).
    """
    padded = np.pad(np.asarray(occupied, bool), 1)
    voxels, normals = [], []
    for axis in range(3):
        for sign in (-1, 1):
            # Thanks to the padding, np.roll wraps only empty voxels around.
            exposed = padded & ~np.roll(padded, -sign, axis)
            voxel = np.argwhere(exposed) - 1
            voxels.append(voxel)
            normals.append(np.broadcast_to(sign * np.eye(3, dtype=int)[axis], voxel.shape))
    return np.concatenate(voxels), np.concatenate(normals)


def triangulate(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make a mesh of the exposed faces, in which neighbouring faces share their corners.

    Returns:
      The vertices, float [V, 3] in object coordinates and grid sides, from -0.5 to 0.5, and two
      triangles for each face, int [2 F, 3], counter-clockwise as seen from outside.
    """
    voxel, normal = exposed_faces(occupied)
    first = np.roll(np.abs(normal), 1, axis=1)
    second = np.cross(normal, first)
    middle = voxel + 0.5 + 0.5 * normal
    steps = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    corners = np.stack([middle + 0.5 * (a * first + b * second) for a, b in steps], axis=1)
    vertices, index = np.unique(
        corners.reshape(-1, 3).round().astype(int), axis=0, return_inverse=True
    )
    quads = index.reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return vertices / len(occupied) - 0.5, triangles
