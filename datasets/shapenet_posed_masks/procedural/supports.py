"""Supports, which stand between the floor and a seat, a table top or a cabinet.

Every function takes (draw, hx, hz, height) and returns solids from y = 0 to y = height that carry a
footprint |x| ≤ hx, |z| ≤ hz. `support` picks one by its name.
"""

import itertools

from .draw import Draw
from .solids import Solid, around, box, circle_points, cylinder, ellipsoid, loft, mirror, rod, tube


def _legs(draw, hx, hz, height):
    thick = draw.pick(draw(0.018, 0.04), draw(0.03, 0.06), draw(0.03, 0.06), draw(0.05, 0.1))
    section = draw.pick("box", "box", "round")
    inset, splay = draw.pick(0, draw(0, 0.1), draw(0, 0.25)), draw.pick(0, 0, draw(0.05, 0.3))
    top_x, top_z = hx * (1 - inset) - thick, hz * (1 - inset) - thick
    foot_x, foot_z = top_x + splay * min(hx, height), top_z + splay * min(hz, height)
    foot = thick * draw(0.5, 1.1)
    start = lambda side: (side * foot_x, foot_z, foot, foot)
    end = lambda side: (side * top_x, top_z, thick, thick)
    solids = mirror(*(loft(1, (0, height), start(s), end(s), section) for s in (-1, 1)))
    rung = draw.pick("none", "none", "none", "box", "H", "front", "shelf")
    at = draw(0.15, 0.6)
    y, bar = at * height, thick * draw(0.4, 0.9)
    x, z = foot_x + at * (top_x - foot_x), foot_z + at * (top_z - foot_z)
    if rung in ("box", "H"):
        solids += mirror(box((-x, x), around(y, bar), around(z, bar)))
    across = {
        "none": [],
        "box": [around(-x, bar), around(x, bar)],
        "H": [(-bar, bar)],
        "front": [around(x, bar)],
        "shelf": [(-x, x)],
    }[rung]
    return solids + [box(xs, around(y, bar), (-z, z)) for xs in across]


def _pedestal(draw, hx, hz, height):
    foot = min(hx, hz) * draw(0.5, 1.0)
    column = draw.pick(draw(0.03, 0.12), draw(0.05, 0.3)) * foot + 0.015
    solids = [cylinder(1, (0, 0), column, (0, height), column * draw(0.5, 1.4))]
    low = draw(0.02, 0.08)
    shape = draw.pick("disc", "cone", "square")
    if shape == "square":
        return [*solids, box((-foot, foot), (0, low), (-foot, foot))]
    if shape == "disc":
        return [*solids, cylinder(1, (0, 0), foot, (0, low))]
    return [*solids, cylinder(1, (0, 0), foot, (0, height * draw(0.2, 0.6)), column)]


def _star(draw, hx, hz, height):
    spokes, turn = draw.pick(3, 4, 4, 5, 5, 5), draw.pick(0, 0.5, 0.125)
    reach, thick = min(hx, hz) * draw(0.8, 1.25), draw.pick(draw(0.02, 0.045), draw(0.035, 0.07))
    caster = draw.pick(0, draw(1.0, 1.8)) * thick
    foot = max(thick, caster)
    hub = foot + draw(0, 0.22) * height
    column = cylinder(1, (0, 0), draw(0.025, 0.08), (hub * 0.5, height))
    feet = [(reach * c, foot, reach * s) for c, s in circle_points(spokes, turn)]
    wheels = [ellipsoid(at, (caster,) * 3) for at in feet] if caster else []
    return [column, *(rod((0, hub, 0), at, thick) for at in feet), *wheels]


def _spider(draw, hx, hz, height):
    thick, top, at = draw(0.018, 0.045), draw(0.25, 0.75), draw(0.3, 0.7)
    solids = mirror(
        *(rod((s * hx, thick, hz), (s * hx * top, height, hz * top), thick) for s in (-1, 1))
    )
    part = 1 + at * (top - 1)
    x, y, z = hx * part, at * height, hz * part
    brace = draw.pick("none", "ring", "cross")
    if brace == "ring":
        rungs = [rod((-x, y, z), (x, y, z), thick), rod((-x, y, -z), (-x, y, z), thick)]
        solids += [*mirror(rungs[0]), rungs[1], rod((x, y, -z), (x, y, z), thick)]
    if brace == "cross":
        solids += mirror(rod((-x, y, -z), (x, y, z), thick))
    plate = top + thick / min(hx, hz)
    return [
        *solids,
        box((-hx * plate, hx * plate), (height - 2 * thick, height), (-hz * top, hz * top)),
    ]


def _sled(draw, hx, hz, height):
    thick = draw(0.018, 0.05)
    z = hz * draw(0.75, 1.0) - thick
    runner = box((-hx, hx), (0, 2 * thick), around(z, thick))
    posts = draw.pick((-1, 1), (-1, 1), (1,))  # (1,) is a cantilever
    x = hx * draw(0.6, 1.0) - thick
    uprights = [loft(1, (0, height), (s * x, z, thick, thick)) for s in posts]
    solids = mirror(runner, *uprights)
    if draw.chance(0.5):
        solids.append(box((-hx, -hx + 2 * thick), (0, 2 * thick), (-z, z)))
    if posts == (1,):  # something has to carry the overhanging seat
        solids += mirror(box((-x, x), (height - 2 * thick, height), around(z, thick)))
    return solids


def _panels(draw, hx, hz, height):
    thick, depth = draw(0.015, 0.09), hx * draw(0.5, 1.0)
    z = hz * draw(0.7, 1.0)
    return mirror(box((-depth, depth), (0, height), (z - 2 * thick, z)))


def _trestle(draw, hx, hz, height):
    thick, z = draw(0.02, 0.08), hz * draw(0.5, 0.9)
    foot, half = draw(0.02, 0.07), hx * draw(0.15, 0.5)
    reach = hx * draw(0.7, 1.0)
    solids = mirror(
        box((-half, half), (0, height), around(z, thick)),
        box((-reach, reach), (0, 2 * foot), around(z, thick)),
    )
    if draw.chance(0.6):
        y = draw(0.2, 0.7) * height
        solids.append(box((-foot, foot), around(y, foot), (-z, z)))
    return solids


def _crossed(draw, hx, hz, height):
    thick, z = draw(0.018, 0.055), hz * draw(0.6, 0.95)
    x = hx * draw(0.6, 1.0) - thick
    rear, front = (-x, z, thick, thick), (x, z, thick, thick)
    bar = box((-thick, thick), around(height / 2, thick), (-z, z))
    return [bar, *mirror(loft(1, (0, height), rear, front), loft(1, (0, height), front, rear))]


def _block(draw, hx, hz, height):
    x, z = hx * draw(0.6, 1.0), hz * draw(0.6, 1.0)
    low = draw(0.6, 1.0)
    return [loft(1, (0, height), (0, 0, x * low, z * low), (0, 0, x, z))]


def _two_columns(draw, hx, hz, height):
    z, column = hz * draw(0.4, 0.75), hx * draw(0.1, 0.5)
    foot, low = hx * draw(0.5, 0.95), draw(0.03, 0.1)
    return mirror(
        cylinder(1, (0, z), column, (0, height)), box((-foot, foot), (0, low), around(z, foot))
    )


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


_KINDS = {
    "block": _block,
    "blocks": _blocks,
    "cabriole": _cabriole_legs,
    "columns": _two_columns,
    "crossed": _crossed,
    "crossed boards": _crossed_boards,
    "legs": _legs,
    "panels": _panels,
    "pedestal": _pedestal,
    "posts": _corner_posts,
    "ring": _ring_of_legs,
    "sled": _sled,
    "spider": _spider,
    "star": _star,
    "trestle": _trestle,
    "turned": _turned_pedestal,
}


def support(kind: str, draw: Draw, hx: float, hz: float, height: float) -> list[Solid]:
    """Draw a support of one of `_KINDS`."""
    return _KINDS[kind](draw, hx, hz, height)
