"""Nodes of .glb files: a tree of places, with the joints that bend meshes among them.

A matrix [4, 4] takes the column (x, y, z, 1) of a point to another place.
"""

from collections.abc import Callable, Iterable

import numpy as np


def below(nodes: list[dict], tops: Iterable[int]) -> list[int]:
    """Return the indices of some nodes and of all nodes below them, each once, parents first."""
    found: dict[int, None] = {}
    waiting = list(tops)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found[index] = None
            waiting.extend(nodes[index].get("children", []))
    return list(found)


def check(nodes: list[dict]) -> None:
    """Check that nodes form trees.

    Raises:
      ValueError: if a node has two parents, or contains itself.
    """
    children = [child for node in nodes for child in node.get("children", [])]
    if len(set(children)) != len(children):
        raise ValueError("it has a node that is part of two others")
    if not {*range(len(nodes))} <= {*below(nodes, _tops(nodes))}:
        raise ValueError("its nodes contain themselves")


def worlds(nodes: list[dict]) -> dict[int, np.ndarray]:
    """Return the matrix from each node of some trees to the world, by index."""
    parents = {
        child: index for index, node in enumerate(nodes) for child in node.get("children", [])
    }
    found: dict[int, np.ndarray] = {}
    for index in below(nodes, _tops(nodes)):
        local = _to_parent(nodes[index])
        found[index] = found[parents[index]] @ local if index in parents else local
    return found


def _tops(nodes):
    """Return the indices of the nodes without a parent."""
    return sorted({*range(len(nodes))} - {c for node in nodes for c in node.get("children", [])})


def _to_parent(node):
    from scipy.spatial.transform import Rotation  # imported late, because few shapes need it

    if "matrix" in node:
        return np.reshape(node["matrix"], (4, 4)).T.astype(float)
    matrix = np.eye(4)
    rotation = Rotation.from_quat(node.get("rotation", (0, 0, 0, 1)))
    matrix[:3, :3] = rotation.as_matrix() * node.get("scale", (1, 1, 1))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def joints(
    skin: dict, worlds: dict[int, np.ndarray], array: Callable[[int], np.ndarray]
) -> np.ndarray:
    """Return the matrix from a mesh to the world for each joint of its skin, [J, 4, 4].

    The place of the mesh's own node does not matter.
    """
    matrices = np.stack([worlds[index] for index in skin["joints"]])
    if "inverseBindMatrices" not in skin:
        return matrices
    to_joints = array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    return matrices @ to_joints[: len(matrices)]


def move(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return points [V, 3] where a matrix takes them."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def bend(
    points: np.ndarray, followed: np.ndarray, weights: np.ndarray, joints: np.ndarray
) -> np.ndarray:
    """Return points [V, 3] where the joints that they follow take them, [V, 3].

    Args:
      points: in the axes of the mesh.
      followed: the numbers of joints that each point follows, whole numbers [V, K].
      weights: how much it follows each, [V, K].
      joints: their matrices, [J, 4, 4].
    """
    weights = np.asarray(weights, float)
    weights[weights.sum(axis=1) == 0, 0] = 1  # as viewers do, which points without weights need
    weights = weights / weights.sum(axis=1, keepdims=True)
    homogeneous = np.concatenate([points, np.ones_like(points[:, :1])], axis=1)
    bent = np.zeros([len(points), 3])
    for joint, weight in zip(followed.T, weights.T, strict=True):
        bent += weight[:, None] * np.einsum("vij,vj->vi", joints[joint, :3], homogeneous)
    return bent
