"""Backs of chairs, sofas and benches, front to +x."""

import itertools
from collections.abc import Sequence

from .draw import Draw
from .solids import Solid, around, box, circle_points, loft, mirror, rod, tube


def arc(
    outer: Sequence[float], inner: Sequence[float], half_turn: float
) -> list[tuple[float, float]]:
    """Return a ring segment in (x, z) that is open towards +x, with an outer radius per axis."""
    directions = circle_points(14, 0.5 - half_turn, 2 * half_turn)
    rim = [(outer[0] * c, outer[1] * s) for c, s in directions]
    return rim + [(inner[0] * c, inner[1] * s) for c, s in reversed(directions)]


def band(points: Sequence[tuple[float, float]], half: float, hz: float) -> list[Solid]:
    """Return a plate along (x, y) points, such as the side view of a seat and back.

    `half` is half its thickness, `hz` half its width.
    """
    plates = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        run, rise = abs(x1 - x0), abs(y1 - y0)
        across = half * (run * run + rise * rise) ** 0.5 / max(run, rise)
        axis, ends = (1, ((y0, x0), (y1, x1))) if rise > run else (0, ((x0, y0), (x1, y1)))
        (low, start), (high, end) = sorted(ends)
        plates.append(loft(axis, (low, high), (start, 0, across, hz), (end, 0, across, hz)))
    return plates


def bent(
    x: float, hz: float, depth: float, span: tuple[float, float], thick: float, shift: float = 0
) -> Solid:
    """Return a panel that is half an ellipse in plan, its rear at `x`, its ends `depth` further on.

    `thick` is half its thickness; its upper end is shifted to −x by `shift`.
    """
    plan = arc((2, 1), (max(2 - 4 * thick / depth, 0.2), max(1 - 2 * thick / hz, 0.1)), 0.25)
    start = (x + depth / 2, 0, depth / 2, hz)
    section = tuple((u + 1, v) for u, v in plan)
    return loft(1, span, start, (start[0] - shift, *start[1:]), section)


def backrest(
    draw: Draw, x: float, hz: float, low: float, high: float, tilt: float, thick: float
) -> list[Solid]:
    """Return a back from height `low` to `high`, its foot centred at `x`, leaning to −x by `tilt`.

    `thick` is half its thickness.
    """
    lean = lambda y: x - tilt * (y - low)
    upright = lambda z, half: loft(
        1, (low, high), (x, z, thick, half), (lean(high), z, thick, half)
    )
    across = lambda y, half: loft(1, around(y, half), (lean(y), 0, thick, hz))
    height = high - low
    middle = low + height * draw(0.4, 0.7)
    kinds = ["solid"] * 6 + ["swept", "bent", "slats", "ladder", "floating"] * 2
    kind = draw.pick(*kinds, "frame", "oval", "hoop", "spindles", "splat")
    if kind == "solid":
        flare = draw.pick(1, draw(0.75, 1.15))
        return [loft(1, (low, high), (x, 0, thick, hz), (lean(high), 0, thick, hz * flare))]
    if kind == "swept":  # bends back towards the top, or forwards
        bend = draw(-0.05, 0.15) * height
        return band([(x, low), (lean(middle) + bend, middle), (lean(high), high)], thick, hz)
    if kind == "bent":
        return [
            bent(x - thick, hz, hz * draw(0.2, 0.6), (low, high), max(thick, 0.035), x - lean(high))
        ]
    if kind == "oval":
        y, squash = low + height * 0.55, draw(0.6, 1.0)
        plate = loft(0, around(x, thick), (y, 0, height * 0.45, hz * squash), section="round")
        return [plate, box(around(x, thick), (low, y), (-hz * 0.3, hz * 0.3))]
    post = max(0.018, hz * draw(0.04, 0.13))
    if kind == "hoop":  # bentwood
        ring = [(hz - post) * draw(0.8, 1.0), high - post - middle]
        curve = [(middle + ring[1] * s, ring[0] * c) for c, s in circle_points(11, 0, 0.5)]
        curve = [(low, hz - post), *curve, (low, post - hz)]
        solids = tube([(lean(y), y, z) for y, z in curve], post)
        inner = draw.pick("open", "splat", "rail")
        if inner == "splat":
            solids.append(upright(0, hz * draw(0.08, 0.3)))
        return [*solids, across(middle, post)] if inner == "rail" else solids
    rail = height * draw(0.05, 0.2)
    if kind == "spindles":
        depth, rear = hz * draw(0.2, 0.6), lean(high) - thick
        solids = [bent(rear, hz, depth, (high - 2 * rail, high), max(thick, post))]
        for c, s in circle_points(draw.count(3, 8), 0.27, 0.46):
            at, z = thick + depth * (1 + c), (hz - thick) * s
            foot = (x + at * 0.8, low, z * 0.85)
            solids.append(rod(foot, (rear + at, high - rail, z), post * 0.7))
        return solids
    solids = mirror(upright(hz - post, post))
    if kind == "slats":
        slats = draw.count(1, 6)
        half, gap = min(post * draw(0.5, 1.0), hz * 0.5 / slats), 2 * hz / (slats + 1)
        solids += [upright(-hz + gap * (i + 1), half) for i in range(slats)]
    if kind == "ladder":
        rungs = draw.count(1, 4)
        half = height * draw(0.1, 0.35) / (rungs + 1)
        solids += [across(low + height * (i + 1) / (rungs + 1), half) for i in range(rungs)]
    if kind == "splat":
        solids.append(upright(0, hz * draw(0.15, 0.5)))
    if kind == "floating":  # a panel held clear of the seat
        solids.append(across(high - height * 0.3, height * draw(0.15, 0.3)))
    return [*solids, across(high - rail, rail)]
