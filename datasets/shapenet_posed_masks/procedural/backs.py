"""Backs of chairs, sofas and benches, front to +x."""

from collections.abc import Sequence

from .draw import Draw
from .solids import Solid, around, box, circle_points, loft, mirror, prism


def arc(
    outer: Sequence[float], inner: Sequence[float], half_turn: float
) -> list[tuple[float, float]]:
    """Return a ring segment in (x, z) that is open towards +x, with an outer radius per axis."""
    directions = circle_points(14, 0.5 - half_turn, 2 * half_turn)
    rim = [(outer[0] * c, outer[1] * s) for c, s in directions]
    return rim + [(inner[0] * c, inner[1] * s) for c, s in reversed(directions)]


def band(points: Sequence[tuple[float, float]], half: float, hz: float) -> Solid:
    """Return a plate along (x, y) points from the front to the top of a back.

    `half` is half its thickness, `hz` half its width.
    """
    above, below = [], []
    for number, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[max(number - 1, 0)], points[min(number + 1, len(points) - 1)]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        across, up = (y1 - y0) / length * half, -(x1 - x0) / length * half
        above.append((x + across, y + up))
        below.append((x - across, y - up))
    return prism(2, above + below[::-1], (-hz, hz))


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
    height = high - low
    kind = draw.pick("solid", "solid", "slats", "ladder", "frame", "round", "floating")
    if kind == "solid":
        flare = draw(0.65, 1.15)
        return [loft(1, (low, high), (x, 0, thick, hz), (lean(high), 0, thick, hz * flare))]
    if kind == "round":
        y, squash = low + height * 0.55, draw(0.6, 1.0)
        plate = loft(0, around(x, thick), (y, 0, height * 0.45, hz * squash), section="round")
        return [plate, box(around(x, thick), (low, y), (-hz * 0.3, hz * 0.3))]
    post = max(0.03, hz * draw(0.06, 0.14))
    rail = height * draw(0.08, 0.2)
    across = lambda y, half: loft(1, around(y, half), (lean(y), 0, thick, hz))
    solids = mirror(upright(hz - post, post))
    if kind == "slats":
        slats = draw.count(1, 3)
        gap = 2 * hz / (slats + 1)
        solids += [upright(-hz + gap * (i + 1), post) for i in range(slats)]
    if kind == "ladder":
        rungs = draw.count(1, 3)
        solids += [across(low + height * (i + 1) / (rungs + 1), rail * 0.5) for i in range(rungs)]
    if kind == "floating":  # a panel held clear of the seat
        solids.append(across(high - height * 0.3, height * draw(0.15, 0.3)))
    return [*solids, across(high - rail, rail)]
