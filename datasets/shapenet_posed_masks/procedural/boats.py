"""Vessels, bow to +x."""

from .draw import Draw
from .solids import Solid, around, box, cylinder, ellipsoid, loft, mirror, on_side, prism, rod


def _hull(draw, beam, depth, bow, stern):
    """Return a hull from x = −1 to 1 with its deck at y = depth.

    `bow` is the part of the length that narrows to the stem, `stern` the width at the stern.
    """
    knee, bulge = 1 - 2 * bow, draw(0.5, 0.85)
    half = [(1, 0.06), ((1 + knee) / 2, bulge), (knee, 1), (-0.6, 1), (-1, stern)]
    section = tuple(half + [(x, -z) for x, z in reversed(half)])
    keel, rake = draw(0.45, 1.0), draw(0, 0.2)
    start = (-rake / 2, 0, 1 - rake, beam * keel)
    return [loft(1, (0, depth), start, (0, 0, 1, beam), section)]


def _sailboat(draw):
    beam, depth, high = draw(0.18, 0.32), draw(0.12, 0.3), draw(1.2, 2.8)
    solids = _hull(draw, beam, depth, draw(0.25, 0.5), draw(0.3, 1.0))
    masts = draw.pick((0.15,), (0.15,), (0.45, -0.2), (0.6, 0.0, -0.55))
    sail = lambda *corners: prism(2, corners, (-0.02, 0.02))
    for i, x in enumerate(masts):
        top = depth + high * (1 - 0.12 * i) / (1 + 0.25 * (len(masts) - 1))
        solids.append(rod((x, 0, 0), (x, top, 0), 0.025))
        foot, boom = depth + draw(0.05, 0.25), draw(0.4, 0.75) / len(masts)
        rig = draw.pick("none", "triangle", "triangle", "square", "jib")
        if rig in ("triangle", "jib"):
            swing = draw.pick(0, draw(-0.3, 0.3))  # the boom off the centre line
            if swing:
                z = (swing + 0.1) / 2 if swing > 0 else (swing - 0.1) / 2
                solids.append(rod((x, foot, 0), (x - boom, foot, z), 0.025))
            solids.append(sail((x + 0.02, foot), (x + 0.02, top), (x - boom, foot)))
        if rig == "square":
            width = beam * draw(1.2, 2.4)
            for low, up in ((0.2, 0.5), (0.58, 0.85)):
                ys = depth + low * (top - depth), depth + up * (top - depth)
                solids.append(box(around(x, 0.03), ys, (-width, width)))
                width *= 0.75
        if rig == "jib" or (i == 0 and draw.chance(0.5)):
            solids.append(sail((x, top * 0.9), (x, foot), (min(0.95, x + 0.7), depth - 0.02)))
    if draw.chance(0.5):
        cabin, high = draw(0.15, 0.35), depth + draw(0.06, 0.18)
        solids.append(box((-cabin - 0.2, cabin), (depth - 0.02, high), (-beam * 0.5, beam * 0.5)))
    if draw.chance(0.6):  # a fin keel
        fin = draw(0.1, 0.4)
        solids.append(loft(1, (-fin, 0.05), (-0.05, 0, 0.1, 0.03), (0, 0, 0.25, 0.03)))
    return solids


def _ship(draw):
    """Return a cargo ship, tanker, liner, warship, fishing boat or carrier."""
    beam, depth = draw(0.12, 0.3), draw(0.1, 0.3)
    solids = _hull(draw, beam, depth, draw(0.12, 0.45), draw(0.5, 1.0))
    kind = draw.pick("cargo", "cargo", "liner", "warship", "fishing", "tanker", "carrier")
    deck = depth - 0.02
    tower = lambda x, half, high, width: loft(
        1, (deck, depth + high), (x, 0, half, beam * width), (x, 0, half * 0.9, beam * width)
    )
    bridge = draw(-0.8, -0.45)
    if kind in ("cargo", "tanker"):
        solids.append(tower(bridge, draw(0.08, 0.16), draw(0.25, 0.6), 0.9))
    if kind == "cargo":  # stacks of containers, uneven
        start, count = bridge + 0.25, draw.count(2, 4)
        each = (0.65 - start) / count
        for i in range(count):
            x, y = start + i * each, (deck, depth + draw(0.05, 0.4))
            solids.append(box((x, x + each * 0.8), y, (-beam * 0.9, beam * 0.9)))
        if draw.chance(0.4):
            solids.append(rod((0.1, depth, 0), (0.3, depth + draw(0.4, 0.8), 0), 0.03))
    if kind == "tanker":
        pipes = box((bridge, 0.7), (deck, depth + 0.06), (-beam * 0.2, beam * 0.2))
        bow = box((0.7, 0.98), (depth - 0.05, depth + 0.1), (-beam * 0.12, beam * 0.12))
        solids += [pipes, bow]
    if kind == "liner":
        low, shrink = deck, draw(0.75, 0.95)
        front, rear, width = draw(0.3, 0.7), -draw(0.6, 0.95), 0.95
        for _ in range(draw.count(2, 5)):
            solids.append(box((rear, front), (low, low + 0.12), (-beam * width, beam * width)))
            low, front, rear, width = low + 0.1, front * shrink, rear * shrink, width * 0.93
        for i in range(draw.count(0, 3)):
            x = rear + (front - rear) * (0.2 + 0.25 * i)
            solids.append(cylinder(1, (x, 0), 0.06, (low, low + draw(0.15, 0.3))))
    if kind == "warship":
        x = draw(-0.3, 0.2)
        solids += [
            tower(x, draw(0.2, 0.45), draw(0.12, 0.25), 0.8),
            tower(x + 0.05, draw(0.06, 0.15), draw(0.3, 0.5), 0.4),
            rod((x, depth, 0), (x - 0.05, depth + draw(0.5, 0.9), 0), 0.025),
        ]
        for at in (0.6, -0.65)[: draw.count(1, 2)]:
            turret = cylinder(1, (at, 0), beam * 0.5, (deck, depth + 0.1))
            solids += [turret, rod((at, depth + 0.08, 0), (at + 0.3, depth + 0.12, 0), 0.02)]
    if kind == "fishing":
        x = draw.pick(0.35, -0.5)
        solids.append(tower(x, draw(0.12, 0.25), draw(0.25, 0.45), 0.65))
        solids.append(rod((-x * 0.3, 0, 0), (-x * 0.3, depth + draw(0.5, 1.2), 0), 0.025))
        solids.append(box((0.55, 0.95), around(depth, 0.1), (-beam * 0.15, beam * 0.15)))
    if kind == "carrier":  # a flight deck, with the island on the right
        z = beam * draw(1.1, 1.5)
        solids.append(box((-0.98, 0.98), (depth, depth + 0.06), (-z, z)))
        solids.append(box((-0.2, draw(0, 0.3)), (depth, depth + draw(0.2, 0.4)), (z * 0.6, z)))
    return solids


def _motorboat(draw):
    beam, depth = draw(0.25, 0.5), draw(0.15, 0.4)
    solids = _hull(draw, beam, depth, draw(0.3, 0.6), draw(0.8, 1.0))
    kind, width = draw.pick("cabin", "cabin", "open", "yacht", "tug"), draw(0.6, 0.9)
    if kind != "open":
        rear, front, high = -draw(0.1, 0.8), draw(0.1, 0.45), depth + draw(0.15, 0.4)
        lean = draw(0, 0.3)
        start = ((rear + front) / 2, 0, (front - rear) / 2, beam * width)
        end = (start[0] - lean / 2, 0, max(start[2] - lean / 2, 0.1), beam * width * 0.9)
        solids.append(loft(1, (depth - 0.02, high), start, end))
        if kind == "yacht":
            top = (end[0] - 0.1, 0, end[2] * 0.7, end[3] * 0.9)
            solids.append(loft(1, (high - 0.02, high + draw(0.12, 0.3)), top))
        if kind == "tug":
            solids.append(cylinder(1, (rear + 0.1, 0), 0.09, (depth, high + draw(0.2, 0.5))))
    if kind == "open":  # a windshield, a console and an engine
        x, rise = draw(-0.1, 0.4), depth + draw(0.15, 0.35)
        start, end = (x, 0, 0.04, beam * 0.8), (x - 0.12, 0, 0.04, beam * 0.7)
        solids.append(loft(1, (depth - 0.02, rise), start, end))
    if draw.chance(0.4):
        solids.append(box((-1.15, -0.95), (0, depth + 0.12), (-0.07, 0.07)))
    return solids


def _rowboat(draw):
    """Return an open shell with thwarts, and perhaps a pair of oars or one outrigger."""
    beam, depth, wall = draw(0.16, 0.4), draw(0.15, 0.4), draw(0.04, 0.07)
    bow, stern = draw(0.3, 0.9), draw(0.1, 0.9)
    knee = 1 - 2 * bow / 2
    half = [(1, 0.02), ((1 + knee) / 2, 0.75), (knee, 1), (-0.5, 1), (-1, stern)]
    outer = [(x, beam * z) for x, z in half]
    inner = [(x * (1 - wall), max(beam * z - 2 * wall, 0)) for x, z in half]
    floor = outer + [(x, -z) for x, z in reversed(outer)]
    sides = mirror(prism(1, outer + inner[::-1], (0, depth)))
    solids = [*sides, prism(1, floor, (0, depth * 0.25))]
    for x in (0.35, -0.1, -0.55)[: draw.count(1, 3)]:
        y = depth * draw(0.6, 0.9)
        solids.append(box(around(x, 0.07), (y - 0.06, y), (-beam * 0.95, beam * 0.95)))
    if draw.chance(0.4):
        reach = beam + draw(0.3, 0.8)
        blade = (draw(-0.5, 0.2), draw(0, depth), reach)
        solids += mirror(rod((-0.1, depth, beam * 0.9), blade, 0.025))
    elif draw.chance(0.35):  # an outrigger, on one side
        reach, y = beam + draw(0.25, 0.6), depth * 0.3
        poles = [rod((x, depth * 0.9, 0), (x, y, reach), 0.025) for x in (-0.3, 0.3)]
        floats = ellipsoid((0, y, reach), (0.6, 0.06, 0.06))
        solids += on_side(draw.pick(-1, 1), floats, *poles)
    return solids


def _catamaran(draw):
    hull, apart, depth = draw(0.06, 0.12), draw(0.25, 0.5), draw(0.12, 0.28)
    half = [(1, 0.1), (0.5, 0.8), (0, 1), (-1, 0.8)]
    sides = half + [(x, -z) for x, z in reversed(half)]
    solids = mirror(prism(1, [(x, apart + hull * z) for x, z in sides], (0, depth)))
    rear, front = -draw(0.4, 0.95), draw(0.1, 0.5)
    solids.append(box((rear, front), (depth - 0.06, depth + 0.04), (-apart, apart)))
    if draw.chance(0.6):
        y, z = (depth, depth + draw(0.15, 0.4)), apart * 0.7
        solids.append(box((rear * 0.7, front * 0.6), y, (-z, z)))
    if draw.chance(0.6):
        top = depth + draw(0.8, 2.4)
        solids.append(rod((front, depth, 0), (front, top, 0), 0.025))
        if draw.chance(0.7):
            sail = [(front, depth + 0.2), (front, top), (rear, depth + 0.2)]
            solids.append(prism(2, sail, (-0.02, 0.02)))
    return solids


def _submarine(draw):
    radius = draw(0.12, 0.24)
    x, high = draw(0.0, 0.45), radius + draw(0.12, 0.3)
    solids = [
        ellipsoid((0, 0, 0), (1, radius, radius)),
        cylinder(0, (0, 0), radius * 0.93, (-0.45, 0.6)),
        loft(1, (0, high), (x, 0, draw(0.12, 0.25), 0.06)),
        box((-0.92, -0.75), (-radius * 1.3, radius * 1.3), (-0.03, 0.03)),
        box((-0.92, -0.75), (-0.03, 0.03), (-radius * 1.3, radius * 1.3)),
    ]
    if draw.chance(0.5):
        solids.append(box(around(x, 0.08), (high - 0.1, high - 0.04), (-0.25, 0.25)))
    if draw.chance(0.5):
        solids.append(rod((x, 0, 0), (x, high + draw(0.1, 0.3), 0), 0.025))
    return solids


def vessel(draw: Draw) -> list[Solid]:
    """Return a sailing, cargo, passenger, war, fishing, motor or rowing boat or a submarine."""
    kinds = [*[_sailboat] * 2, *[_ship] * 3, *[_motorboat] * 2]
    return draw.pick(*kinds, _rowboat, _catamaran, _submarine)(draw)
