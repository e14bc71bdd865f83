"""The solids that shapes are made of, and how a list of them becomes a voxel grid.

Object axes: x forward, y up, z to the side. Any unit will do, because `rasterise` fits the object
to the grid. Every solid has `bounds()`, `thickened(thickness)`, `mirrored()` (in the plane z = 0)
and `contains(x, y, z)`, which takes open coordinate grids and broadcasts. Coordinates only pass
through +, −, ×, ÷ and √, which every platform rounds alike, so that all yield the same voxels.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

# A voxel centre on a face counts as inside on both sides of the object, which keeps it symmetric.
_EPS = 1e-6

# Radius, in voxels, below which a slanted round bar could slip between voxel centres.
_MIN_RADIUS = 0.75


def _thinned(half, excess):
    """Return half a side without half the excess, if it is thin."""
    return half - excess / 2 if half < 8 * excess else half


def _even_odd(outline, u, v):
    """Tell which points lie in a polygon of [M, 2] vertices; u and v broadcast."""
    inside = np.zeros(np.broadcast_shapes(np.shape(u), np.shape(v)), bool)
    previous_u, previous_v = outline[-1]
    for next_u, next_v in outline:
        if next_v != previous_v:
            crosses = (previous_v > v) != (next_v > v)
            slope = (next_u - previous_u) / (next_v - previous_v)
            inside ^= crosses & (u < previous_u + slope * (v - previous_v))
        previous_u, previous_v = next_u, next_v
    return inside


@dataclasses.dataclass(frozen=True)
class Loft:
    """A section moved straight along an axis while it shifts and grows linearly.

    Attributes:
      axis: 0, 1 or 2; the two other axes, in x, y, z order, are the section's u and v.
      span: (low, high) along the axis.
      start: (centre_u, centre_v, half_u, half_v) of the section at the low end.
      end: the same at the high end.
      section: "box", "round", or the corners (u, v) of a polygon in the square [−1, 1]².
    """

    axis: int
    span: tuple[float, float]
    start: tuple[float, ...]
    end: tuple[float, ...]
    section: str | tuple[tuple[float, float], ...] = "box"

    def bounds(self) -> tuple[list[float], list[float]]:
        """Return the (low, high) corners of the bounding box."""
        low, high = [0.0] * 3, [0.0] * 3
        low[self.axis], high[self.axis] = self.span
        ends = (self.start, self.end)
        for i, other in enumerate(a for a in range(3) if a != self.axis):
            low[other] = min(end[i] - end[2 + i] for end in ends)
            high[other] = max(end[i] + end[2 + i] for end in ends)
        return low, high

    def thickened(self, thickness: float, excess: float = 0.0) -> "Loft":
        """Return the solid with thin sides less `excess`, and none thinner than `thickness`."""
        middle, reach = sum(self.span) / 2, (self.span[1] - self.span[0]) / 2
        if self.start == self.end:  # no piece of a bent plate, whose pieces must still meet
            reach = _thinned(reach, excess)
        reach = max(reach, thickness / 2)
        span = (middle - reach, middle + reach)
        # A slanted bar moves sideways from one layer of voxels to the next: these must overlap.
        radius = _MIN_RADIUS if self.section == "round" else 0.5
        half_u, half_v = (
            thickness * (radius + abs(self.end[i] - self.start[i]) / (4 * reach)) for i in (0, 1)
        )
        widen = lambda end: (
            *end[:2],
            max(_thinned(end[2], excess), half_u),
            max(_thinned(end[3], excess), half_v),
        )
        return dataclasses.replace(self, span=span, start=widen(self.start), end=widen(self.end))

    def mirrored(self) -> "Loft":
        """Return the reflection in the plane z = 0."""
        if self.axis == 2:
            span = (-self.span[1], -self.span[0])
            return dataclasses.replace(self, span=span, start=self.end, end=self.start)
        start, end = ((u, -v, half_u, half_v) for u, v, half_u, half_v in (self.start, self.end))
        section = self.section
        if not isinstance(section, str):
            section = tuple((u, -v) for u, v in section)
        return dataclasses.replace(self, start=start, end=end, section=section)

    def contains(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Tell which points of its bounding box the solid holds."""
        coordinates = [x, y, z]
        along = (coordinates.pop(self.axis) - self.span[0]) / (self.span[1] - self.span[0])
        # A value that is the same at both ends stays a scalar, so that the section is 2-D.
        centre_u, centre_v, half_u, half_v = (
            a if a == b else a + (b - a) * along for a, b in zip(self.start, self.end, strict=True)
        )
        u = (coordinates[0] - centre_u) / half_u
        v = (coordinates[1] - centre_v) / half_v
        if self.section == "box":
            return (abs(u) <= 1 + _EPS) & (abs(v) <= 1 + _EPS)
        if self.section == "round":
            return u * u + v * v <= 1 + _EPS
        return _even_odd(self.section, u * (1 - _EPS), v * (1 - _EPS))


@dataclasses.dataclass(frozen=True)
class Capsule:
    """All points near the segment from `a` to `b`: the swept ellipsoid of the given `radii`."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    radii: tuple[float, ...]

    def bounds(self) -> tuple[list[float], list[float]]:
        """Return the (low, high) corners of the bounding box."""
        sides = list(zip(self.a, self.b, self.radii, strict=True))
        return [min(p, q) - r for p, q, r in sides], [max(p, q) + r for p, q, r in sides]

    def thickened(self, thickness: float, excess: float = 0.0) -> "Capsule":
        """Return the solid with thin radii less, and every radius large enough to be seen."""
        smallest = _MIN_RADIUS * thickness
        radii = tuple(max(_thinned(radius, excess), smallest) for radius in self.radii)
        return dataclasses.replace(self, radii=radii)

    def mirrored(self) -> "Capsule":
        """Return the reflection in the plane z = 0."""
        (ax, ay, az), (bx, by, bz) = self.a, self.b
        return Capsule((ax, ay, -az), (bx, by, -bz), self.radii)

    def contains(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Tell which points the solid holds."""
        starts = zip((x, y, z), self.a, self.radii, strict=True)
        px, py, pz = ((q - p) / r for q, p, r in starts)
        dx, dy, dz = ((q - p) / r for p, q, r in zip(self.a, self.b, self.radii, strict=True))
        length2 = dx * dx + dy * dy + dz * dz
        t = (px * dx + py * dy + pz * dz) / max(length2, 1e-12)
        t = np.minimum(np.maximum(t, 0), 1)
        ex, ey, ez = px - t * dx, py - t * dy, pz - t * dz
        return ex * ex + ey * ey + ez * ez <= 1 + _EPS


Solid: TypeAlias = Loft | Capsule


def loft(
    axis: int,
    span: tuple[float, float],
    start: tuple[float, ...],
    end: tuple[float, ...] | None = None,
    section: str | tuple[tuple[float, float], ...] = "box",
) -> Solid:
    """Return a `Loft`; without `end` the section stays the same."""
    return Loft(axis, span, start, start if end is None else end, section)


def box(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Solid:
    """Return an axis-aligned box from three (low, high) pairs."""
    (x0, x1), (z0, z1) = x, z
    return loft(1, y, ((x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2, (z1 - z0) / 2))


def slab(y: tuple[float, float], x: tuple[float, float], half: float, half_z: float) -> Solid:
    """Return an upright slab across x whose middle goes from x[0] at y[0] to x[1] at y[1]."""
    return loft(1, y, (x[0], 0, half, half_z), (x[1], 0, half, half_z))


def around(middle: float, half: float) -> tuple[float, float]:
    """Return the pair (low, high) of a span."""
    return middle - half, middle + half


def cylinder(
    axis: int,
    centre: tuple[float, float],
    radius: float,
    span: tuple[float, float],
    end_radius: float | None = None,
) -> Solid:
    """Return a cylinder or frustum around `centre`, a (u, v) pair, along the axis."""
    end_radius = radius if end_radius is None else end_radius
    return loft(axis, span, (*centre, radius, radius), (*centre, end_radius, end_radius), "round")


def prism(axis: int, outline: Sequence[tuple[float, float]], span: tuple[float, float]) -> Solid:
    """Return a polygon of (u, v) corners in the two other axes, extruded along the axis."""
    (u0, u1), (v0, v1) = ((min(values), max(values)) for values in zip(*outline, strict=True))
    cu, cv, hu, hv = (u0 + u1) / 2, (v0 + v1) / 2, (u1 - u0) / 2, (v1 - v0) / 2
    section = tuple(((u - cu) / hu, (v - cv) / hv) for u, v in outline)
    return loft(axis, span, (cu, cv, hu, hv), section=section)


def rod(a: tuple[float, ...], b: tuple[float, ...], radius: float) -> Solid:
    """Return a round bar from `a` to `b`, both (x, y, z), with round ends."""
    return Capsule(a, b, (radius,) * 3)


def ellipsoid(centre: tuple[float, ...], radii: tuple[float, ...]) -> Solid:
    """Return an axis-aligned ellipsoid; `centre` and `radii` are (x, y, z)."""
    return Capsule(centre, centre, radii)


def tube(points: Sequence[tuple[float, ...]], radius: float) -> list[Solid]:
    """Return the rods that join (x, y, z) points in turn."""
    return [rod(a, b, radius) for a, b in itertools.pairwise(points)]


def mirror(*solids: Solid) -> list[Solid]:
    """Return the solids and their reflections in the plane z = 0."""
    return [*solids, *(solid.mirrored() for solid in solids)]


def on_side(side: int, *solids: Solid) -> list[Solid]:
    """Return the solids, which are at positive z, or their reflections if `side` is negative."""
    return [*solids] if side > 0 else [solid.mirrored() for solid in solids]


def circle_points(count: int, turn: float = 0.0, sweep: float = 1.0) -> list[tuple[float, float]]:
    """Return `count` unit vectors (cos, sin) that start at `turn` and cover `sweep`, in turns."""
    # Rounded, because sine and cosine may differ in the last bit between platforms.
    steps = count if sweep == 1.0 else count - 1
    angles = [2 * math.pi * (turn + sweep * i / steps) for i in range(count)]
    return [(round(math.cos(a), 6), round(math.sin(a), 6)) for a in angles]


def _bounds(solids):
    lows, highs = zip(*(solid.bounds() for solid in solids), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _fill(solids, size, centre, scale):
    """Return the voxels of the solids, bool [N, N, N], with `centre` in the middle of the grid."""
    voxels = np.zeros((size,) * 3, bool)
    centres = [(np.arange(size) + 0.5 - size / 2) / scale + c for c in centre]
    for solid in solids:
        block = tuple(
            slice(*np.searchsorted(centres[axis], (low - _EPS, high + _EPS)))
            for axis, (low, high) in enumerate(zip(*solid.bounds(), strict=True))
        )
        x, y, z = (c[s] for c, s in zip(centres, block, strict=True))
        if x.size and y.size and z.size:
            voxels[block] |= solid.contains(x[:, None, None], y[:, None], z)
    return voxels


def _occupied_range(voxels):
    """Return the first and the last occupied index of each axis: two int arrays [3]."""
    hits = [np.flatnonzero(voxels.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    return np.array([hit[0] for hit in hits]), np.array([hit[-1] for hit in hits])


def rasterise(solids: Sequence[Solid], size: int, dilated: bool = False) -> np.ndarray:
    """Fit the union of solids to a grid, bool [N, N, N], axes x, y, z.

    Voxels are occupied whose centres are inside. The longest side of the bounding box spans the
    grid, and the others are centred to the voxel. No bar is thinner than a voxel, so that nothing
    vanishes. `dilated` says that thin parts are as thick as in 32-grids of real meshes, which are
    solid wherever a face passes through; in finer grids they are then thinner by a voxel.
    """
    low, high = _bounds(solids)
    # The −2 is there because thickening may widen the object itself by up to 1.5 voxels.
    thickness = (high - low).max() / (size - 2)
    solids = [
        solid.thickened(thickness, thickness if dilated and size > 32 else 0.0) for solid in solids
    ]
    low, high = _bounds(solids)
    scale = size / (high - low).max()
    while True:
        voxels = _fill(solids, size, (low + high) / 2, scale)
        first, last = _occupied_range(voxels)
        extent = last - first + 1
        if extent.max() == size:
            break
        # A pointed or round end has slipped between voxel centres.
        scale *= size / extent.max()
    # Nothing wraps around, because the axes that move have room on both sides.
    return np.roll(voxels, (size - extent) // 2 - first, axis=(0, 1, 2))
