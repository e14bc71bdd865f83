"""Cabinets: chests, wardrobes, sideboards and shelves, front to +x."""

from .draw import Draw
from .solids import Solid, around, box, loft, mirror, on_side
from .supports import support

_BOW = ((-1, -1), (0.5, -1), (0.85, -0.5), (1, 0), (0.85, 0.5), (0.5, 1), (-1, 1))
_CHAMFER = ((-1, -1), (0.4, -1), (1, -0.6), (1, 0.6), (0.4, 1), (-1, 1))


def _shelves(draw, hx, hz, low, high, columns, rows):
    """Return an open case with a back wall, divided into columns × rows."""
    wall = draw(0.02, 0.05)
    solids = [box((-hx, -hx + 2 * wall), (low, high), (-hz, hz))] if draw.chance(0.75) else []
    zs = [-hz + wall + i * 2 * (hz - wall) / columns for i in range(columns + 1)]
    ys = [low + wall + i * (high - low - 2 * wall) / rows for i in range(rows + 1)]
    solids += [box((-hx, hx), (low, high), around(z, wall)) for z in zs]
    return solids + [box((-hx, hx), around(y, wall), (-hz, hz)) for y in ys]


def _cabinet_front(draw, hx, hz, low, high):
    """Return handles, posts at the corners or a frame around recessed doors, for a closed case."""
    style = draw.pick("none", "none", "handles", "posts", "frame", "fronts")
    rows, columns, out = draw.count(1, 5), draw.count(1, 2), draw(0.01, 0.06)
    each, step = 2 * hz / columns, (high - low) / rows
    half_z, half_y = draw(0.015, 0.3) * each, draw(0.01, 0.05)
    if style == "fronts":  # leaves or drawers, with gaps in between
        half_z, half_y = each * draw(0.4, 0.48), step * draw(0.35, 0.48)
    if style in ("handles", "fronts"):
        zs = [-hz + (i + 0.5) * each for i in range(columns)]
        ys = [low + (i + 0.5) * step for i in range(rows)]
        front = (hx - 0.02, hx + out)
        return [box(front, around(y, half_y), around(z, half_z)) for z in zs for y in ys]
    half = draw(0.015, 0.07)
    if style == "posts":
        posts = [box(around(s * hx, half), (0, high), around(hz, half)) for s in (-1, 1)]
        return mirror(*posts)
    if style == "frame":
        front = (hx - 0.02, hx + out)
        ends = [box(front, around(y, half), (-hz, hz)) for y in (low + half, high - half)]
        return [*ends, *mirror(box(front, (low, high), (hz - 2 * half, hz)))]
    return []


def cabinet(draw: Draw) -> list[Solid]:
    """Return a chest, wardrobe, sideboard, open shelf, hutch, corner or stepped cabinet."""
    hz, height = draw.pick(
        (draw(0.3, 0.7), draw(1.0, 2.4)),  # wardrobe
        (draw(0.22, 0.4), draw(0.6, 1.8)),  # narrow
        (draw(0.7, 1.2), draw(0.5, 1.1)),  # sideboard
        *[(draw(0.35, 0.75), draw(0.6, 1.5))] * 5,  # chest
    )
    hx = hz * draw.pick(draw(0.25, 0.5), *[draw(0.5, 0.8)] * 3, draw(0.75, 1.0))
    foot = draw.pick(0, 0, draw(0.03, 0.12), draw(0.08, 0.35))
    high = foot + height
    kind = draw.pick(*["solid"] * 22, *["shelves"] * 4, *["hutch"] * 3, "niche", "steps", "corner")
    if kind == "solid":
        lean = draw.pick(*[1] * 6, draw(0.75, 0.95))
        front = "box" if foot else draw.pick(*["box"] * 3, "bow", "chamfer")
        section = {"bow": _BOW, "chamfer": _CHAMFER}.get(front, "box")
        solids = [loft(1, (foot, high), (0, 0, hx, hz), (0, 0, hx * lean, hz * lean), section)]
        if front == "box" and lean == 1:
            solids += _cabinet_front(draw, hx, hz, foot, high)
    elif kind == "shelves":
        rows = max(1, round(height / draw(0.4, 0.7)))
        columns = max(1, round(2 * hz / draw(0.5, 0.9)))
        solids = _shelves(draw, hx, hz, foot, high, min(columns, 3), min(rows, 4))
        if draw.chance(0.4):  # closed below
            solids.append(box((-hx, hx), (foot, foot + height * draw(0.25, 0.5)), (-hz, hz)))
    elif kind == "hutch":  # a shallow upper part, set on the lower one or held above it
        split = foot + height * draw(0.3, 0.6)
        deep = -hx + 2 * hx * draw(0.3, 0.7)
        gap = draw.pick(0, draw(0.1, 0.3)) * height
        solids = [
            box((-hx, hx), (foot, split), (-hz, hz)),
            box((-hx, deep), (min(split + gap, high - 0.15), high), (-hz, hz)),
            box((-hx, -hx + 0.08), (split - 0.05, high), (-hz, hz)),
        ]
    elif kind == "steps":
        count, side = draw.count(2, 4), draw.pick(-1, 1)
        tops = [foot + height * (i + 1) / count for i in range(count)]
        starts = [-hz + 2 * hz * i / count for i in range(count)]
        steps = zip(tops, starts, strict=True)
        solids = on_side(side, *(box((-hx, hx), (foot, top), (z, hz)) for top, z in steps))
    elif kind == "corner":
        side, width = draw.pick(-1, 1), hz * draw(0.5, 0.9)
        wing = box((-hx, hx + draw(0.4, 1.2)), (foot, high * draw(0.6, 1.0)), (hz - width, hz))
        solids = [box((-hx, hx), (foot, high), (-hz, hz)), *on_side(side, wing)]
    else:  # two towers with a lower, set-back or bridged middle
        width, low = hz * draw(0.3, 0.6), foot + height * draw(0.3, 0.7)
        solids = mirror(box((-hx, hx), (foot, high), (hz - width, hz)))
        solids.append(box((-hx, hx * draw(-0.2, 1.0)), (foot, low), (-hz, hz)))
        if draw.chance(0.7):
            solids.append(box((-hx, hx), (high - 0.12, high), (-hz, hz)))

    side = draw.pick(-1, 1)
    extra = draw.pick(*["none"] * 9, "door", "rack", "drawer", "cornice", "mirror", *["top"] * 3)
    if extra == "door":  # a leaf that stands open, hinged at the side
        swing, leaf = draw(-0.5, 0.5), hz * draw(0.6, 1.0)
        hinge, middle, half = hz - 0.03, foot + height / 2, height * draw(0.35, 0.5)
        start, end = (middle, hinge, half, 0.03), (middle, hinge + swing * leaf, half, 0.03)
        door = loft(0, (hx - 0.05, hx + leaf), start, end)
        solids += mirror(door) if draw.chance(0.4) else on_side(side, door)
    if extra == "rack":  # open shelves on one side
        z, high_up = (hz - 0.15, hz + draw(0.2, 0.6)), min(height, 0.9)
        ys = [foot + at * high_up for at in (0.05, 0.5, 0.9)[: draw.count(1, 3)]]
        solids += on_side(side, *(box((-hx, hx * 0.8), (y, y + 0.06), z) for y in ys))
        solids += on_side(side, box((-hx, -hx + 0.08), (foot, foot + high_up), z))
        solids.append(box((-hx, hx * 0.8), (foot, foot + 0.4), (-0.15, 0.15)))
    if extra in ("top", "cornice") and kind in ("solid", "shelves"):
        over, half = draw(0.01, 0.15), draw(0.012, 0.06)
        y = high if extra == "top" else high * draw(0.75, 0.95)
        solids.append(box((-hx, hx + over), around(y, half), (-hz - over, hz + over)))
    if extra == "mirror" and kind == "solid":  # or a splashboard
        rise, half, wide = high + height * draw(0.1, 0.9), draw(0.012, 0.05), hz * draw(0.6, 1.0)
        section = draw.pick("box", "box", "round")
        level, half_y = (high - 0.1 + rise) / 2, (rise - high + 0.1) / 2
        solids.append(loft(0, (-hx, -hx + 2 * half), (level, 0, half_y, wide), section=section))
        solids.append(box((-hx, -hx + 2 * half), (high - 0.1, level), (-wide * 0.3, wide * 0.3)))
    if extra == "drawer" and kind in ("solid", "corner"):
        y, width = foot + height * draw(0.1, 0.6), hz * draw(0.4, 0.9)
        solids.append(box((0, hx + draw(0.2, 0.5)), (y, y + height * 0.25), (-width, width)))
    if foot:
        kind = draw.pick("posts", "posts", "cabriole", "legs", "block", "panels", "sled")
        solids += support(kind, draw, hx * 0.97, hz * 0.97, foot + 0.04)
    return solids
