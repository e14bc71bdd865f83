"""Tables and desks: each function draws one object, front to +x."""

from .draw import Draw
from .solids import Capsule, Loft, Solid, around, box, loft, mirror, on_side
from .supports import support

_OCTAGON = ((1, 0.4), (0.4, 1), (-0.4, 1), (-1, 0.4), (-1, -0.4), (-0.4, -1), (0.4, -1), (1, -0.4))


def _turned(solid):
    """Return the solid with x and z exchanged, as by a quarter turn of a symmetric object."""
    if isinstance(solid, Capsule):
        return Capsule(solid.a[::-1], solid.b[::-1], solid.radii[::-1])
    start, end = ((v, u, half_v, half_u) for u, v, half_u, half_v in (solid.start, solid.end))
    section = solid.section
    if not isinstance(section, str):
        section = tuple((v, u) for u, v in section)
    return Loft(2 - solid.axis, solid.span, start, end, section)


def _boards(hx, hz, y, half):
    """Return the four upright boards of an apron or a rim; `y` is the span of its height."""
    return mirror(box((-hx, hx), y, (hz - 2 * half, hz))) + [
        box(around(s * (hx - half), half), y, (-hz, hz)) for s in (-1, 1)
    ]


def _section(shape):
    """Return the section of a top of that shape."""
    return {"box": "box", "octagon": _OCTAGON}.get(shape, "round")


def _table_top(draw, shape, hx, hz, height, thick):
    """Return a top from `height` up: plain, bevelled, with a rim or with leaves at its ends."""
    section, top = _section(shape), height + 2 * thick
    low = draw.pick(1, 1, 1, draw(0.8, 0.97))
    solids = [loft(1, (height, top), (0, 0, hx * low, hz * low), (0, 0, hx, hz), section)]
    edge = draw.pick(*["plain"] * 12, "rim", "leaves", "drop") if shape == "box" else "plain"
    if edge == "rim":
        solids += _boards(hx, hz, (height, top + draw(0.03, 0.15)), draw(0.02, 0.05))
    if edge == "leaves":
        reach, drop = hz * draw(1.1, 1.4), draw(-0.6, 0.6) * thick
        leaf = around(height + thick + drop, draw(0.6, 1.0) * thick)
        solids += mirror(box((-hx, hx), leaf, (hz - 0.05, reach)))
    if edge == "drop":  # leaves that hang down at the ends
        solids += mirror(box((-hx, hx), (height * draw(0.3, 0.8), top), (hz - 2 * thick, hz)))
    return solids


def _table_size(draw):
    """Return half the depth, half the length and the height; the long side lies along z."""
    hz = draw(0.6, 1.05)
    if draw.chance(0.37):
        ratio = draw.pick(draw(0.3, 0.6), draw(0.5, 0.9), draw(0.8, 1.25))
        return hz, hz, 2 * hz * ratio
    ratio = draw.pick(draw(0.15, 0.35), draw(0.28, 0.45), draw(0.35, 0.6), draw(0.5, 1.0))
    return (
        hz * draw.pick(draw(0.33, 0.5), *[draw(0.45, 0.65)] * 2, draw(0.6, 0.85)),
        hz,
        2 * hz * ratio,
    )


def _table_base_kind(draw, shape, hx, hz):
    """Return the name of a base that suits a top of that shape and size."""
    long = hz > 1.3 * hx
    if shape == "box":
        kinds = [*["posts"] * 9, *["legs"] * 4, "cabriole", "cabriole", "spider", "sled"]
        kinds += ["crossed", "crossed", "panels", "trestle", "trestle"]
        kinds += ["blocks", "columns"] if long else ["pedestal", "turned", "star", "crossed boards"]
    else:
        kinds = [*["posts"] * 3, *["ring"] * 3, "legs", "cabriole", "crossed boards"]
        kinds += ["columns", "trestle"] if long else ["pedestal", "pedestal", "star"]
        kinds += [] if long else ["turned"] * 3
    return draw.pick(*kinds)


def _plain_table(draw):
    """Return a dining, coffee, side, console, bar, pedestal, conference or folding table."""
    hx, hz, height = _table_size(draw)
    thick = draw.pick(draw(0.012, 0.045), draw(0.02, 0.05), draw(0.03, 0.07))
    height -= 2 * thick
    shape = draw.pick(*["box"] * 7, "round", "round", "oval" if hz > hx else "round", "octagon")
    kind = _table_base_kind(draw, shape, hx, hz)
    under = draw.pick(1.0, 1.0, 1.0, draw(0.75, 1.0)) if shape == "box" else draw(0.62, 0.7)
    x, z, inset = hx * under, hz * under, draw(0.01, 0.12)
    solids = _table_top(draw, shape, hx, hz, height, thick)
    solids += support(kind, draw, x, z, height + thick)
    extra = draw.pick(*["none"] * 5, *["apron"] * 3, "drawers")
    if extra == "apron":
        low = height - draw(0.06, 0.25) * min(1, height)
        solids += _boards(x - inset, z - inset, (low, height + thick), draw(0.015, 0.04))
    if extra == "drawers" and shape == "box":
        low = height * draw(0.5, 0.85)
        solids.append(box((inset - x, x - inset), (low, height + thick), (inset - z, z - inset)))
    if kind in ("legs", "posts", "cabriole", "panels", "sled", "blocks") and draw.chance(0.4):
        half, y = draw(0.012, 0.05), height * draw.pick(draw(0.05, 0.3), draw(0.2, 0.75))
        wide = draw(0.93, 1.0) if shape == "box" else 1.35
        plate = (0, 0, x * wide, z * wide)
        solids.append(loft(1, around(max(y, half), half), plate, section=_section(shape)))
    return solids


def _waterfall_table(draw):
    """Return a top that bends down to the floor at both ends, perhaps closed below or shelved."""
    hx, hz, height = _table_size(draw)
    half, inset = draw(0.012, 0.07), draw.pick(0, 0, 0, draw(0, 0.2) * hz)
    solids = [box((-hx, hx), (height - 2 * half, height), (-hz, hz))]
    low = draw.pick(0, 0, 0, draw(0.1, 0.5) * height)
    x = hx * draw.pick(1, 1, draw(0.7, 1.0))
    end = hz - inset - half
    solids += mirror(box((-x, x), (0, height), around(end, half)))
    if draw.chance(0.35):
        solids.append(box((-x, x), (low, low + 2 * half), (-end, end)))
    if draw.chance(0.15):  # drawers fill one part of it
        solids.append(box((-x, x), (height * draw(0.2, 0.7), height), (0, end)))
    return solids


def _game_table(draw):
    """Return a pool table or a billiard table: a thick tray on stout legs or panels."""
    hz = draw(0.8, 1.1)
    hx, height, deep = hz * draw(0.5, 0.65), hz * draw(0.55, 0.85), draw(0.06, 0.2)
    solids = [box((-hx, hx), (height - deep, height), (-hz, hz))]
    solids += _boards(
        hx, hz, (height - deep * draw(0.2, 1.1), height + draw(0.03, 0.08)), draw(0.03, 0.07)
    )
    inset = draw(0.8, 0.98)
    kind = draw.pick("cabriole", "posts", "blocks", "blocks")
    return solids + support(kind, draw, hx * inset, hz * inset, height - deep / 2)


def _desk(draw):
    """Return a desk or a workbench with pedestals of drawers, a modesty panel or a hutch."""
    hz, thick = draw(0.6, 1.05), draw(0.012, 0.05)
    hx, height = hz * draw(0.4, 0.65), hz * draw(0.75, 1.2)
    top, side = height + 2 * thick, draw.pick(-1, 1)
    solids = [box((-hx, hx), (height, top), (-hz, hz))]
    x, z, width = hx * draw(0.85, 1.0), hz * draw(0.9, 1.0), draw(0.3, 0.7) * hz
    low = height * draw.pick(0, draw(0.03, 0.15), draw(0.5, 0.75))
    chest = box((-x, x), (low, height + thick), (z - width, z))
    chests = draw.pick("none", "one", "one", "both")
    if chests != "none":
        solids += on_side(side, chest) if chests == "one" else mirror(chest)
    if chests != "both" or low:
        solids += support(draw.pick("legs", "legs", "panels", "sled"), draw, x, z, height + thick)
    if draw.chance(0.4):
        modesty = (height * draw(0.1, 0.7), height + thick)
        solids.append(box((-x, -x + 2 * draw(0.012, 0.03)), modesty, (-z, z)))
    if draw.chance(0.25):
        high, rear, half = top + draw(0.2, 0.9), (-hx, -hx + draw(0.1, 0.35)), draw(0.012, 0.03)
        solids += mirror(box(rear, (height, high), (hz - 2 * half, hz)))
        solids.append(box(rear, (high - 2 * half, high), (-hz, hz)))
        if draw.chance(0.6):
            solids.append(box((-hx, -hx + 2 * half), (height, high), (-hz, hz)))
    if draw.chance(0.25):  # a corner desk
        reach, depth, half = hx + draw(0.5, 1.1), draw(0.45, 0.8) * hz, draw(0.02, 0.07)
        posts = [around(at - half, half) for at in (reach, hz)]
        solids += on_side(
            side,
            box((-hx, reach), (height, top), (hz - depth, hz)),
            box(posts[0], (0, top), around(hz - depth + half, half)),
            box(posts[0], (0, top), posts[1]),
        )
    return solids


def table(draw: Draw) -> list[Solid]:
    """Return a table or a desk, whose long side mostly runs along x if it has no front."""
    kind = draw.pick(
        *[_plain_table] * 13, _waterfall_table, _waterfall_table, _game_table, *[_desk] * 4
    )
    solids = kind(draw)
    across = draw.chance(0.5 if kind is _desk else 0.9)
    return [_turned(solid) for solid in solids] if across else solids
