"""Tables and cabinets: each function draws one object, front to +x."""

from .draw import Draw
from .solids import Solid, around, box, loft, mirror, on_side
from .supports import support

_OCTAGON = ((1, 0.4), (0.4, 1), (-0.4, 1), (-1, 0.4), (-1, -0.4), (-0.4, -1), (0.4, -1), (1, -0.4))


def table(draw: Draw) -> list[Solid]:
    """Return a dining, coffee, side, bar or corner table, a desk or a workbench."""
    hx, hz = draw(0.4, 0.65), draw(0.5, 1.15)
    if across := draw.chance(0.4):  # the long side runs from back to front
        hx, hz = hz, hx
    height = draw.pick(*[draw(0.3, 0.5)] * 2, *[draw(0.55, 0.85)] * 5, draw(0.9, 1.4))
    thick = draw(0.02, 0.09)
    top = height + 2 * thick
    shape = draw.pick(*["box"] * 5, "round", "round", "oval", "octagon", "L")
    under = 0.92
    solids: list[Solid] = []
    if shape in ("box", "L"):
        solids.append(box((-hx, hx), (height, top), (-hz, hz)))
    if shape == "L":  # a corner desk
        side, reach, depth = draw.pick(-1, 1), hx + draw(0.5, 1.1), draw(0.5, 0.8)
        leg = 2 * draw(0.03, 0.07)
        solids += on_side(
            side,
            box((-hx, reach), (height, top), (hz - depth, hz)),
            box((reach - leg, reach), (0, top), (hz - depth, hz - depth + leg)),
            box((reach - leg, reach), (0, top), (hz - leg, hz)),
        )
    elif shape != "box":
        under = 0.68
        if shape == "round":
            hz = hx
        section = _OCTAGON if shape == "octagon" else "round"
        solids.append(loft(1, (height, top), (0, 0, hx, hz), section=section))
    kinds = ["legs", "legs", "legs", "sled", "crossed"]
    kinds += [] if across else ["panels", "trestle"]
    kinds += ["columns"] if hz > 0.8 * hx * 1.5 else ["pedestal", "star"]
    kinds += ["pedestal", "star", "block"] if shape in ("round", "octagon") else []
    kind = draw.pick(*kinds)
    solids += support(kind, draw, hx * under, hz * under, height + thick)

    extra = draw.pick("none", "none", "apron", "shelf", "drawers", "pedestal", "modesty", "hutch")
    x, z = hx * under * 0.95, hz * under * 0.95
    if extra == "apron":
        solids.append(box((-x, x), (height - draw(0.08, 0.25), top), (-z, z)))
    if extra == "shelf" and kind == "panels":
        y = height * draw(0.15, 0.5)
        solids.append(box((-x, x), (y, y + 0.05), (-z, z)))
    if extra in ("drawers", "pedestal") and shape not in ("round", "octagon"):
        low = height * draw(0.05, 0.3) if extra == "drawers" else height * draw(0.5, 0.7)
        chest = box((-x, x), (low, top), (z - 2 * z * draw(0.2, 0.38), z))
        solids += draw.pick(on_side(-1, chest), [chest], mirror(chest))
    if extra == "modesty":
        solids.append(box((-x, -x + 0.05), (height * draw(0.1, 0.6), top), (-z, z)))
    if extra == "hutch" and shape in ("box", "L") and hz > 0.7:
        high, rear = top + draw(0.25, 0.9), (-hx, -hx + draw(0.15, 0.3))
        solids += mirror(box(rear, (top - 0.02, high), (hz - 0.06, hz)))
        solids.append(box(rear, (high - 0.06, high), (-hz, hz)))
        if draw.chance(0.6):
            solids.append(box((-hx, -hx + 0.05), (top - 0.02, high), (-hz, hz)))
    return solids


def _shelves(draw, hx, hz, low, high, columns, rows):
    """Return an open case with a back wall, divided into columns × rows."""
    wall = draw(0.02, 0.05)
    solids = [box((-hx, -hx + 2 * wall), (low, high), (-hz, hz))] if draw.chance(0.75) else []
    zs = [-hz + wall + i * 2 * (hz - wall) / columns for i in range(columns + 1)]
    ys = [low + wall + i * (high - low - 2 * wall) / rows for i in range(rows + 1)]
    solids += [box((-hx, hx), (low, high), around(z, wall)) for z in zs]
    return solids + [box((-hx, hx), around(y, wall), (-hz, hz)) for y in ys]


def cabinet(draw: Draw) -> list[Solid]:
    """Return a chest, wardrobe, sideboard, open shelf, hutch, corner or stepped cabinet."""
    hx = draw(0.2, 0.55)
    hz, height = draw.pick(
        (draw(0.3, 0.7), draw(1.0, 2.4)),  # wardrobe
        (draw(0.2, 0.4), draw(0.7, 2.0)),  # narrow
        (draw(0.7, 1.2), draw(0.5, 1.1)),  # sideboard
        *[(draw(0.35, 0.75), draw(0.7, 1.4))] * 3,  # chest
    )
    foot = draw.pick(0, 0, draw(0.08, 0.35))
    high = foot + height
    kind = draw.pick(*["solid"] * 12, *["shelves"] * 4, *["hutch"] * 2, "niche", "steps", "corner")
    if kind == "solid":
        lean = draw.pick(1, 1, 1, draw(0.75, 0.95))
        solids = [loft(1, (foot, high), (0, 0, hx, hz), (0, 0, hx * lean, hz * lean))]
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
    extra = draw.pick(*["none"] * 4, "door", "rack", "top", "drawer", "cornice")
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
        over = draw(0.05, 0.2)
        y = high if extra == "top" else high * draw(0.75, 0.95)
        solids.append(box((-hx, hx + over), (y - 0.03, y + 0.08), (-hz - over, hz + over)))
    if extra == "drawer" and kind in ("solid", "corner"):
        y, width = foot + height * draw(0.1, 0.6), hz * draw(0.4, 0.9)
        solids.append(box((0, hx + draw(0.2, 0.5)), (y, y + height * 0.25), (-width, width)))
    if foot:
        kind = draw.pick("legs", "legs", "block", "panels", "sled")
        solids += support(kind, draw, hx * 0.95, hz * 0.95, foot + 0.04)
    return solids
