"""Compositions of primitives that are no object in particular, for kinds without a generator.

A part is drawn by a function of (draw, region), where `region` holds the (low, high) pairs of x, y
and z, and reaches the region's bottom and top. All is symmetric in z, except for what `primitive`
turns or leaves out on one side.
"""

from .draw import Draw
from .solids import (
    Solid,
    around,
    box,
    circle_points,
    ellipsoid,
    loft,
    mirror,
    on_side,
    prism,
    rod,
    tube,
)
from .supports import support

_SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
_SINK = 0.06  # how far one part reaches into another


def _fitted(axis, region, ends=(1.0, 1.0), section="box"):
    """Return a loft that fills the region along the axis, each end scaled by its factor."""
    (u0, u1), (v0, v1) = (span for number, span in enumerate(region) if number != axis)
    centre, half_u, half_v = ((u0 + u1) / 2, (v0 + v1) / 2), (u1 - u0) / 2, (v1 - v0) / 2
    start, end = ((*centre, half_u * part, half_v * part) for part in ends)
    return loft(axis, region[axis], start, end, section)


def _plan(draw):
    """Return the corners of a plan in [−1, 1]²: square, chamfered, round in front or round."""
    kind = draw.pick("square", "square", "chamfer", "D", "oval")
    if kind == "square":
        return _SQUARE
    if kind == "oval":
        return tuple(circle_points(24))
    if kind == "D":
        x = draw(-0.8, 0.6)
        front = [(x + (1 - x) * c, s) for c, s in circle_points(13, -0.25, 0.5)]
        return (*front, (-1.0, 1.0), (-1.0, -1.0))
    front, rear = draw(0.3, 1.0), draw.pick(1.0, draw(0.3, 1.0))
    half = [(1.0, front), (front, 1.0), (-rear, 1.0), (-1.0, rear)]
    return (*half, *((x, -z) for x, z in reversed(half)))


def _block(draw, region):
    """Return a box, prism, cylinder, frustum or cone."""
    axis = draw.pick(0, *[1] * 5, 2)
    section = (
        draw.pick("box", "box", "round", _plan(draw)) if axis == 1 else draw.pick("box", "round")
    )
    small = draw.pick(1.0, 1.0, draw(0.3, 1.0)) if axis != 2 else 1.0
    return [_fitted(axis, region, draw.pick((1.0, small), (small, 1.0)), section)]


def _ball(_draw, region):
    """Return an ellipsoid."""
    centre = tuple((low + high) / 2 for low, high in region)
    return [ellipsoid(centre, tuple((high - low) / 2 for low, high in region))]


def _profile(draw, region):
    """Return a body whose outline from the side is a polygon: steps, slopes, arches or humps."""
    (x0, x1), (y0, y1), z = region
    count, steps = draw.count(2, 4), draw.chance(0.5)
    heights = [y0 + (y1 - y0) * draw(0.25, 1.0) for _ in range(count)]
    heights[draw.count(0, count - 1)] = y1
    outline = [(x0, y0), (x1, y0)]
    for number, y in reversed(list(enumerate(heights))):
        right, left = (x0 + (x1 - x0) * (number + more) / count for more in (1, 0))
        outline += [(right, y), (left, y)] if steps else [((left + right) / 2, y)]
    if not steps:
        outline[2:] = [(x1, heights[-1]), *outline[2:], (x0, heights[0])]
    return [prism(2, outline, z)]


def _tub(draw, region):
    """Return a vessel open above: a floor and a wall, upright or sloped, perhaps with a rim."""
    (x0, x1), (y0, y1), (_, hz) = region
    plan, hx, x = _plan(draw), (x1 - x0) / 2, (x0 + x1) / 2
    wall, low = draw(0.07, 0.2), draw.pick(1.0, 1.0, draw(0.6, 1.0))
    inner = (max(1 - wall / hx, 0.3), max(1 - wall / hz, 0.3))
    ring = lambda u, v: ((*plan, plan[0], *((a * u, b * v) for a, b in (plan[0], *plan[::-1]))))
    start, end = ((x, 0.0, hx * part, hz * part) for part in (low, 1.0))
    floor = y0 + (y1 - y0) * draw(0.1, 0.5)
    at_floor = low + (1 - low) * (floor - y0) / (y1 - y0)
    inside = (x, 0.0, hx * at_floor, hz * at_floor)
    solids = [
        loft(1, (y0, y1), start, end, ring(*inner)),
        loft(1, (y0, floor), start, inside, plan),
    ]
    if draw.chance(0.3):
        rim = (x, 0.0, hx + wall * 0.5, hz + wall * 0.5)
        solids.append(loft(1, (y1 - draw(0.05, 0.12), y1), rim, section=ring(*inner)))
    if draw.chance(0.2):  # a raised end
        rear = (x0, x0 + max(2 * wall, 0.1))
        solids.append(box(rear, (floor - 0.02, y1 + draw(0.1, 0.6)), (-hz * 0.7, hz * 0.7)))
    return solids


def _shell(draw, region):
    """Return a case of thin walls, open on some sides, divided by shelves and partitions."""
    (x0, x1), (y0, y1), (_, hz) = region
    wall = draw(0.02, 0.06)
    floor = y0 + draw.pick(0.0, 0.0, draw(0.0, 0.7)) * (y1 - y0)
    solids = mirror(box((x0, x1), (y0, y1), (hz - 2 * wall, hz)))
    rows = draw.count(1, 3)
    levels = [floor + (y1 - floor) * number / rows for number in range(rows)]
    solids += [box((x0, x1), (y, y + 2 * wall), (-hz, hz)) for y in levels]
    if draw.chance(0.75):
        solids.append(box((x0, x1), (y1 - 2 * wall, y1), (-hz, hz)))
    if draw.chance(0.6):
        solids.append(box((x0, x0 + 2 * wall), (floor, y1), (-hz, hz)))
    if draw.chance(0.3):
        solids.append(
            box((x1 - 2 * wall, x1), (floor, floor + (y1 - floor) * draw(0.2, 0.7)), (-hz, hz))
        )
    if draw.chance(0.3):
        z = draw(0.0, 0.6) * hz
        solids += mirror(box((x0, x1), (floor, y1), around(z, wall)))
    if draw.chance(0.3):  # closed on one level
        solids.append(box((x0, x1), (floor, floor + (y1 - floor) / rows), (-hz, hz)))
    return solids


def _frame(draw, region):
    """Return a frame of bars along the edges, with plates, mattings or a solid in it."""
    (x0, x1), (y0, y1), (_, hz) = region
    half = draw(0.015, 0.06)
    xs, ys = (x0 + half, x1 - half), (y0 + half, y1 - half)
    solids = mirror(*(box(around(x, half), (y0, y1), around(hz - half, half)) for x in xs))
    for y in ys if draw.chance(0.6) else ys[1:]:
        solids += mirror(box((x0, x1), around(y, half), around(hz - half, half)))
        solids += [box(around(x, half), around(y, half), (-hz, hz)) for x in xs]
    fill = draw.pick("top", "top", "middle", "slats", "block", "sides")
    if fill == "top":
        solids.append(box((x0, x1), (y1 - 2 * half, y1), (-hz, hz)))
    if fill in ("middle", "block"):
        y = y0 + (y1 - y0) * draw(0.1, 0.8)
        high = y + 2 * half if fill == "middle" else y1
        solids.append(box((x0, x1), (y, high), (-hz, hz)))
    if fill == "slats":
        count = draw.count(3, 6)
        each = (x1 - x0) / count
        for number in range(count):
            x = x0 + (number + 0.5) * each
            solids.append(box(around(x, each * 0.3), (y1 - 2 * half, y1), (-hz, hz)))
    if fill == "sides":
        solids += mirror(box((x0, x1), (y0, y1), (hz - 2 * half, hz)))
    return solids


def _bars(draw, region):
    """Return a row of upright or leaning rods or boards between two rails."""
    (x0, x1), (y0, y1), (_, hz) = region
    half, count, x = draw(0.02, 0.05), draw.count(3, 7), (x0 + x1) / 2
    solids = [box((x0, x1), y, (-hz, hz)) for y in ((y0, y0 + 0.1), (y1 - 0.1, y1))]
    zs = [(hz - half) * (2 * number / (count - 1) - 1) for number in range(count)]
    return solids + [rod((x, y0 + half, z), (x, y1 - half, z), half) for z in zs]


_FULL = (_block, _block, _block, _profile, _ball)  # solid from the bottom to the top
_OPEN = (_tub, _tub, _shell, _shell, _frame, _bars)


def _attached(draw, region):
    """Return what sticks out of a body: a handle, a tap, a back board, a brim or a pipe."""
    (x0, x1), (y0, y1), (_, hz) = region
    kind = draw.pick("brim", "board", "pipe", "knobs", "wings")
    middle, half = (x0 + x1) / 2, draw(0.015, 0.05)
    if kind == "brim":
        out, x, y = draw(0.03, 0.15), (x0 - 0.1, x1 + 0.1), (y1 - 2 * half, y1)
        sides = mirror(box(x, y, (hz - 0.1, hz + out)))
        return sides + [box(around(at, 0.1), y, (-hz - out, hz + out)) for at in (x0, x1)]
    if kind == "board":
        return [box((x0, x0 + 2 * half), (y0, y1 + draw(0.1, 0.8)), around(0, hz * draw(0.5, 1.1)))]
    if kind == "pipe":
        x, high, reach = x0 + draw(0.05, 0.3) * (x1 - x0), y1 + draw(0.1, 0.6), draw(0.1, 0.5)
        bend = [(x, y0 + (y1 - y0) * 0.3, 0), (x, high, 0), (x + reach, high + draw(-0.1, 0.1), 0)]
        return tube(bend, half)
    if kind == "knobs":
        y, z = y0 + (y1 - y0) * draw(0.2, 0.8), hz * draw(0.1, 0.6)
        return mirror(box((middle, x1 + draw(0.03, 0.12)), around(y, half), around(z, half * 2)))
    y, out = y0 + (y1 - y0) * draw(0.3, 0.9), hz + draw(0.1, 0.8)
    x = around(middle + draw(-0.2, 0.2) * (x1 - x0), draw(0.1, 0.4) * (x1 - x0))
    return mirror(box(x, around(y, half), (0, out)))


def _scaled(draw, region, low, high):
    """Return a region with the same y whose sides are shorter or longer, perhaps set back."""
    (x0, x1), y, (_, hz) = region
    part = draw(low, high)
    half = (x1 - x0) / 2 * draw.pick(part, draw(low, high))
    x = (x0 + x1) / 2 + draw.pick(0, 0, draw(-1.0, 1.0)) * max((x1 - x0) / 2 - half, 0)
    return around(x, half), y, around(0, hz * part)


def _alone(draw, region):
    """Return one part, perhaps with something attached."""
    part = draw.pick(*_FULL, *_OPEN)
    more = _attached(draw, region) if part in _FULL and draw.chance(0.6) else []
    return part(draw, region) + more


def _stacked(draw, region):
    """Return two to four parts on top of each other, of which the last may be open."""
    x, (y0, y1), z = region
    count, solids = draw.count(2, 4), []
    weights = [draw(0.15, 1.0) for _ in range(count)]
    for number, weight in enumerate(weights):
        high = y0 + (y1 - y0) * weight / sum(weights[number:])
        part = draw.pick(*_FULL, *(_OPEN if number == count - 1 else ()))
        place = (x, (y0 - (_SINK if number else 0), high), z)
        place = _scaled(draw, place, 0.35, 1.0) if draw.chance(0.6) else place
        if number and part in _OPEN:
            solids.append(box(place[0], around(y0 - _SINK / 2, _SINK), place[2]))
        solids += part(draw, place)
        y0 = high
    if part in _FULL and draw.chance(0.5):
        solids += _attached(draw, place)
    return solids


def _topped(draw, region):
    """Return a low body that carries uprights, cushions or parts at its ends."""
    (x0, x1), (y0, y1), (_, hz) = region
    level, solids = y0 + (y1 - y0) * draw(0.2, 0.7), []
    body = draw.pick("box", "box", "slab", _plan(draw))
    low = y0 if body != "slab" else level - min(draw(0.04, 0.12), level - y0)
    solids.append(
        _fitted(1, ((x0, x1), (low, level), (-hz, hz)), section="box" if body == "slab" else body)
    )
    floor = y0 if body == "slab" else level - _SINK
    for end in draw.pick((-1,), (-1,), (-1, 1)):
        deep = draw.pick(draw(0.03, 0.1), draw(0.05, 0.4) * (x1 - x0))
        span = (x0, x0 + deep) if end < 0 else (x1 - deep, x1)
        rise = y1 if end < 0 else level + (y1 - level) * draw(0.1, 1.0)
        wide = hz * draw.pick(1, draw(0.5, 1.2))
        place = (span, (floor, rise), around(0, wide))
        kind = draw.pick("board", "board", "arch", "bars", "block")
        if kind == "arch":
            arch = [
                (rise - (rise - level) * 0.4 * (1 - c), wide * s)
                for c, s in circle_points(9, -0.25, 0.5)
            ]
            solids.append(prism(0, [(floor, -wide), *arch, (floor, wide)], span))
        elif kind == "board":
            solids.append(_fitted(1, place))
        else:
            solids += (_bars if kind == "bars" else _block)(draw, place)
    if draw.chance(0.4):
        half, z = hz * draw(0.2, 0.48), hz * 0.5
        soft = ((x0 + x1) / 2 + (x1 - x0) * draw(-0.35, 0.2), level, z)
        solids += mirror(ellipsoid(soft, (draw(0.1, 0.4) * (x1 - x0), draw(0.06, 0.2), half)))
    if draw.chance(0.25):
        rise = level + draw(0.05, 0.5) * (y1 - level)
        solids += mirror(box((x0, x1), (floor, rise), (hz - draw(0.05, 0.25), hz)))
    if body == "slab":
        kind = draw.pick("legs", "block", "panels", "sled")
        solids += support(kind, draw, (x1 - x0) / 2 * 0.95, hz * 0.95, low - y0 + 0.03)
    return solids


def _flanked(draw, region):
    """Return a middle box or shell with panels, blocks or lower cases to its left and right."""
    (x0, x1), (y0, y1), (_, hz) = region
    inner, rise = hz * draw(0.3, 0.85), y0 + (y1 - y0) * draw(0.3, 1.0)
    low = y0 + draw.pick(0, draw(0, 0.6)) * (rise - y0)
    middle = ((x0, x0 + (x1 - x0) * draw(0.4, 1.0)), (low, rise), (-inner, inner))
    solids = draw.pick(lambda draw, place: [_fitted(1, place)], _shell)(draw, middle)
    side = box(
        (x0, x0 + (x1 - x0) * draw(0.5, 1.0)),
        (y0, y0 + (y1 - y0) * draw(0.4, 1.0) + (low - y0)),
        (inner - 0.03, inner + (hz - inner) * draw(0.2, 1.0)),
    )
    both = mirror(side) if draw.chance(0.8) else on_side(draw.pick(-1, 1), side)
    if draw.chance(0.3):
        wide = hz * draw(0.9, 1.05)
        solids.append(box((x0, x1), (rise - 0.02, rise + draw(0.03, 0.1)), (-wide, wide)))
    return solids + both


def primitive(draw: Draw) -> list[Solid]:
    """Return a random composition of boxes, cylinders, cones, ellipsoids, plates and rods."""
    hx, hz = (draw.pick(draw(0.35, 0.7), draw(0.6, 1.0)) for _ in range(2))
    height = draw.pick(draw(0.3, 0.8), draw(0.6, 1.2), draw(1.0, 2.0))
    foot = draw.pick(0, 0, 0, draw(0.05, 0.2), draw(0.1, 0.8))
    region = ((-hx, hx), (foot, foot + height), (-hz, hz))
    compose = draw.pick(_alone, _alone, _alone, _stacked, _stacked, _topped, _topped, _flanked)
    solids = compose(draw, region)
    if foot:
        kinds = ("legs", "legs", "legs", "panels", "block", "pedestal", "sled", "trestle", "star")
        solids += support(draw.pick(*kinds), draw, hx * 0.95, hz * 0.95, foot + 0.02)
        plate = (region[0], around(foot, draw(0.015, 0.05)), region[2])
        solids.append(_fitted(1, plate))
    return solids
