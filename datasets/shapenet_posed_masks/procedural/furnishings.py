"""Tables and cabinets: each function draws one object, front to +x."""

import functools
import itertools

from .draw import Draw
from .solids import (
    Capsule,
    Loft,
    Solid,
    around,
    box,
    circle_points,
    cylinder,
    loft,
    mirror,
    on_side,
    rod,
    tube,
)
from .supports import support

_BOW = ((-1, -1), (0.5, -1), (0.85, -0.5), (1, 0), (0.85, 0.5), (0.5, 1), (-1, 1))
_CHAMFER = ((-1, -1), (0.4, -1), (1, -0.6), (1, 0.6), (0.4, 1), (-1, 1))
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


def _turned_pedestal(draw, hx, hz, height):
    """Return a column turned on a lathe, on a disc or on feet that arch outwards."""
    reach, count = min(hx, hz) * draw(0.6, 1.3), draw.count(2, 5)
    radii = [reach * draw.pick(draw(0.05, 0.2), draw(0.1, 0.6)) for _ in range(count + 1)]
    feet = draw.pick("disc", "arched", "arched")
    low = height * draw(0.03, 0.1) if feet == "disc" else height * draw(0.05, 0.3)
    each = (height - low) / count
    solids = [
        cylinder(1, (0, 0), radius, (low + number * each, low + (number + 1) * each), upper)
        for number, (radius, upper) in enumerate(itertools.pairwise(radii))
    ]
    if feet == "disc":
        return [*solids, cylinder(1, (0, 0), max(reach * 0.6, radii[0]), (0, low))]
    thick, rise, arch = draw(0.02, 0.06), draw(0.2, 0.6) * height, draw(0.35, 0.75)
    knee, down = reach * draw(0.3, 0.7), low + (rise - low) * arch
    for c, s in circle_points(draw.count(3, 5), draw.pick(0, 0.125)):
        path = [(0, rise + low, 0), (knee * c, down, knee * s), (reach * c, thick, reach * s)]
        solids += tube(path, thick)
    return solids


def _cabriole_legs(draw, hx, hz, height):
    """Return four legs whose knees bend outwards and whose feet turn out again."""
    knee, ankle, low = draw(0.05, 0.09), draw(0.025, 0.045), draw(0.12, 0.3)
    out, bow = draw(-0.04, 0.12), draw(0.0, 0.1)
    path = [(0.0, out, knee * 0.8), (low, -bow, ankle), (0.75, 0.0, knee), (1.0, -0.02, knee)]
    solids = []
    for (y0, out0, r0), (y1, out1, r1) in itertools.pairwise(path):
        for side in (-1, 1):
            start, end = (
                (side * (hx - knee + out), hz - knee + out, r, r)
                for out, r in ((out0, r0), (out1, r1))
            )
            solids.append(loft(1, (y0 * height, y1 * height), start, end, "round"))
    return mirror(*solids)


def _corner_posts(draw, hx, hz, height):
    """Return straight or tapered legs flush with the corners, perhaps with stretchers."""
    half, foot = draw(0.02, 0.1), draw.pick(1, 1, draw(0.5, 1.0))
    x, z = hx - half, hz - half
    start, end = ((x, z, r, r) for r in (half * foot, half))
    leg = loft(1, (0, height), start, end)
    rear = loft(1, (0, height), (-x, *start[1:]), (-x, *end[1:]))
    solids = mirror(leg, rear)
    y = draw.pick(half, half, draw(0.1, 0.85) * height)
    bar = half * draw(0.4, 1.0)
    stretcher = draw.pick(*["none"] * 5, "ends", "ends", "frame", "H", "X")
    if stretcher in ("ends", "frame", "H"):
        solids += mirror(box((-x, x), around(y, bar), around(z, bar)))
    if stretcher == "frame":
        solids += [box(around(at, bar), around(y, bar), (-z, z)) for at in (-x, x)]
    if stretcher == "H":
        solids.append(box((-bar, bar), around(y, bar), (-z, z)))
    if stretcher == "X":
        solids += mirror(rod((-x, y, -z), (x, y, z), bar))
    return solids


def _ring_of_legs(draw, hx, hz, height):
    """Return three to six legs on an oval, perhaps joined above the floor."""
    count, turn, foot = draw.count(3, 6), draw.pick(0, 0.125), draw.pick(1, draw(0.6, 1.4))
    thick, upper = draw(0.025, 0.08), draw.pick(1, 1, draw(0.3, 0.9))
    points = circle_points(count, turn)
    ends = [
        [(r * hx * c, y, r * hz * s) for r, y in ((upper * foot, thick), (upper, height))]
        for c, s in points
    ]
    solids = [rod(foot_end, top_end, thick) for foot_end, top_end in ends]
    y = draw(0.1, 0.5)
    joints = [tuple(a + y * (b - a) for a, b in zip(*leg, strict=True)) for leg in ends]
    joint = draw.pick("none", "none", "spokes", "shelf")
    if joint == "spokes":
        solids += [rod((0, at[1], 0), at, thick * 0.8) for at in joints]
    if joint == "shelf":
        part = upper * (foot + y * (1 - foot))
        plate = (0, 0, hx * part * 1.05, hz * part * 1.05)
        solids.append(loft(1, around(joints[0][1], thick / 2), plate, section="round"))
    return solids


def _crossed_boards(draw, hx, hz, height):
    """Return boards or frames on edge, one along x and one along z, that cross in the middle."""
    x, z, half = hx * draw(0.5, 0.95), hz * draw(0.5, 0.95), draw(0.02, 0.06)
    if draw.chance(0.5):
        return [box((-x, x), (0, height), (-half, half)), box((-half, half), (0, height), (-z, z))]
    posts = [box(around(s * x, half), (0, height), (-half, half)) for s in (-1, 1)]
    posts += mirror(box((-half, half), (0, height), around(z, half)))
    y = draw.pick((0, 2 * half), (height - 2 * half, height))
    return [*posts, box((-x, x), y, (-half, half)), box((-half, half), y, (-z, z))]


def _blocks(draw, hx, hz, height):
    """Return two to four blocks or panels in a row that carry a long top."""
    count, half, x = draw.count(2, 4), hz * draw(0.04, 0.16), hx * draw(0.4, 0.95)
    far, plinth = hz * draw(0.5, 0.95) - half, draw.pick(0, 0, draw(0.03, 0.08))
    zs = [far * (2 * i / (count - 1) - 1) for i in range(count)]
    solids = [box((-x, x), (0, height), around(z, half)) for z in zs]
    if plinth:
        out = 1 + draw(0.1, 0.4)
        solids += [
            box((-min(x * out, hx), min(x * out, hx)), (0, 2 * plinth), around(z, half * out))
            for z in zs
        ]
    return solids


_BASES = {
    "blocks": _blocks,
    "cabriole": _cabriole_legs,
    "crossed boards": _crossed_boards,
    "posts": _corner_posts,
    "ring": _ring_of_legs,
    "turned": _turned_pedestal,
}


def _base(kind, draw, hx, hz, height):
    """Return one of `_BASES` or a `support` of that name."""
    return (_BASES.get(kind) or functools.partial(support, kind))(draw, hx, hz, height)


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
    solids += _base(kind, draw, x, z, height + thick)
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
    return solids + _base(kind, draw, hx * inset, hz * inset, height - deep / 2)


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
        solids += _base(kind, draw, hx * 0.97, hz * 0.97, foot + 0.04)
    return solids
