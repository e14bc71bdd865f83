"""Polygons cut into triangles."""

import numpy as np


def triangulate(vertices: np.ndarray, corners: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Cut polygons into triangles, float64 [F, 3, 3].

    Convex ones become fans. The ears of others are clipped.

    Args:
      vertices: float [V, 3].
      corners: int [C], the vertices of all polygons, one polygon after the other.
      counts: int [P], how many corners each polygon has. Those of one or two have no triangle.

    Raises:
      ValueError: if a corner is not one of the vertices.
    """
    if len(corners) and not 0 <= corners.min() <= corners.max() < len(vertices):
        raise ValueError("it has a face with a vertex that is not there")
    starts = np.cumsum(counts) - counts
    triangles = [np.zeros([0, 3], np.int64)]
    for count in np.unique(counts[counts >= 3]):
        polygons = corners[starts[counts == count][:, None] + np.arange(count)]  # [P, count]
        fans = np.stack([polygons[:, :1].repeat(count - 2, 1), polygons[:, 1:-1], polygons[:, 2:]])
        convex = _are_convex(vertices[polygons])
        triangles.append(fans[:, convex].reshape(3, -1).T)
        triangles += [polygon[_clipped(vertices[polygon])] for polygon in polygons[~convex]]
    return np.asarray(vertices, np.float64)[np.concatenate(triangles)]


def _are_convex(points):
    """Return which polygons [P, count, 3] turn the same way at every corner."""
    sides = np.roll(points, -1, axis=1) - points
    turns = np.cross(sides, np.roll(sides, -1, axis=1))
    normal = np.cross(points, np.roll(points, -1, axis=1)).sum(axis=1, keepdims=True)
    along = (turns * normal).sum(axis=-1)
    return ~(along < -1e-9 * abs(along).max(axis=1, keepdims=True)).any(axis=1)


def _clipped(points):
    """Return the corners [F, 3] of the triangles of one polygon [count, 3]."""
    import mapbox_earcut  # imported late, because few shapes need it

    normal = abs(np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0))
    flat = np.ascontiguousarray(np.delete(points, normal.argmax(), axis=1), np.float64)
    ends = np.array([len(points)], np.uint32)
    return mapbox_earcut.triangulate_float64(flat, ends).reshape(-1, 3).astype(np.int64)
