"""Vessels, bow to +x."""

from .draw import Draw
from .solids import Solid, around, box, cylinder, ellipsoid, loft, mirror, on_side, prism, rod


def _hull(draw, beam, depth, bow, stern, castles=(0.0, 0.0)):
    """Return a hull from x = −1 to 1 with its deck at y = depth.

    `bow` is the part of the length that narrows to the stem, `stern` the width at the stern, and
    `castles` how far the hull rises above the deck at the bow and at the stern.
    """
    knee, bulge = 1 - 2 * bow, draw(0.5, 0.85)
    half = [(1, 0.06), ((1 + knee) / 2, bulge), (knee, 1), (-0.6, 1), (-1, stern)]
    section = tuple(half + [(x, -z) for x, z in reversed(half)])
    keel, rake = draw(0.35, 1.0), draw(0, 0.25)
    start = (-rake / 2, 0, 1 - rake, beam * keel)
    solids = [loft(1, (0, depth), start, (0, 0, 1, beam), section)]
    fore = [(1, 0.06), ((1 + knee) / 2, bulge), (knee, 1)]
    aft = [(-0.6, 1), (-1, stern)]
    for points, rise in zip((fore, aft), castles, strict=True):
        if rise:
            outline = [(x, beam * z) for x, z in points]
            outline += [(x, -z) for x, z in reversed(outline)]
            solids.append(prism(1, outline, (depth - 0.03, depth + rise)))
    return solids


def _castles(draw):
    """Return how far a ship's bow and stern rise above its deck, often not at all."""
    return draw.pick(0, draw(0.03, 0.12)), draw.pick(0, 0, draw(0.03, 0.1))


def _sailboat(draw):
    beam, depth, high = draw(0.14, 0.32), draw(0.12, 0.3), draw(1.1, 2.5)
    solids = _hull(draw, beam, depth, draw(0.25, 0.5), draw(0.3, 1.0))
    masts = draw.pick((0.15,), (0.15,), (0.45, -0.2), (0.6, 0.0, -0.55))
    sail = lambda *corners: prism(2, corners, (-0.014, 0.014))
    for i, x in enumerate(masts):
        top = depth + high * (1 - 0.12 * i) / (1 + 0.25 * (len(masts) - 1))
        solids.append(rod((x, 0, 0), (x, top, 0), draw(0.014, 0.025)))
        foot, boom = depth + draw(0.05, 0.25), draw(0.45, 1.0) / len(masts)
        rig = draw.pick("none", "triangle", "triangle", "square", "jib")
        if rig in ("triangle", "jib"):
            swing = draw.pick(0, draw(-0.3, 0.3))  # the boom off the centre line
            if swing:
                z = (swing + 0.1) / 2 if swing > 0 else (swing - 0.1) / 2
                solids.append(rod((x, foot, 0), (x - boom, foot, z), 0.018))
            solids.append(sail((x + 0.02, foot), (x + 0.02, top), (x - boom, foot)))
        if rig == "square":
            width = beam * draw(1.2, 2.4)
            for low, up in ((0.2, 0.5), (0.58, 0.85)):
                ys = depth + low * (top - depth), depth + up * (top - depth)
                solids.append(box(around(x, 0.02), ys, (-width, width)))
                width *= 0.75
        if rig == "jib" or (i == 0 and draw.chance(0.5)):
            solids.append(sail((x, top * 0.9), (x, foot), (min(0.95, x + 0.7), depth - 0.02)))
    if draw.chance(0.5):
        cabin, high = draw(0.15, 0.35), depth + draw(0.06, 0.18)
        solids.append(box((-cabin - 0.2, cabin), (depth - 0.02, high), (-beam * 0.5, beam * 0.5)))
    if draw.chance(0.6):  # a fin keel
        fin = draw(0.1, 0.4)
        solids.append(loft(1, (-fin, 0.05), (-0.05, 0, 0.1, 0.02), (0, 0, 0.25, 0.02)))
    return solids


def _ship(draw):
    """Return a cargo ship, tanker, liner, steamer, warship, fishing boat or carrier."""
    beam, depth = draw(0.09, 0.26), draw(0.08, 0.26)
    solids = _hull(draw, beam, depth, draw(0.12, 0.5), draw(0.4, 1.0), _castles(draw))
    kinds = ("cargo", "liner", "steamer", "warship", "fishing")
    kind = draw.pick(*kinds, *kinds, "tanker", "carrier")
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
    if kind == "steamer":  # funnels and masts in a row
        rear, front = -draw(0.2, 0.7), draw(0.1, 0.5)
        high, size = depth + draw(0.03, 0.12), draw(0.025, 0.055)
        solids.append(box((rear, front), (deck, high), (-beam * 0.6, beam * 0.6)))
        count, top = draw.count(1, 4), high + draw(0.1, 0.3)
        for i in range(count):
            x = rear + (front - rear) * (i + 0.5) / count
            solids.append(cylinder(1, (x, 0), size, (deck, top)))
        for x in (draw(0.3, 0.6), -draw(0.3, 0.7))[: draw.count(1, 2)]:
            solids.append(rod((x, 0, 0), (x, top + draw(0.05, 0.35), 0), 0.016))
        solids += [tower(front, 0.06, draw(0.1, 0.25), 0.5)]
    if kind == "warship":
        x = draw(-0.3, 0.2)
        tip = depth + draw(0.35, 0.8)
        solids += [
            tower(x, draw(0.2, 0.5), draw(0.06, 0.2), 0.8),
            tower(x + 0.05, draw(0.06, 0.2), draw(0.15, 0.4), draw(0.4, 0.7)),
            rod((x, depth, 0), (x - 0.05, tip, 0), draw(0.016, 0.035)),
        ]
        if draw.chance(0.5):  # a radar across the mast, and a funnel
            solids.append(box(around(x - 0.04, 0.03), around(tip - 0.1, 0.02), (-beam, beam)))
            solids.append(tower(x - draw(0.15, 0.3), 0.06, draw(0.15, 0.35), 0.4))
        for at in (0.6, -0.65)[: draw.count(1, 2)]:
            turret = cylinder(1, (at, 0), beam * 0.5, (deck, depth + 0.1))
            solids += [turret, rod((at, depth + 0.06, 0), (at + 0.25, depth + 0.1, 0), 0.016)]
    if kind == "fishing":
        x = draw.pick(0.35, -0.5)
        solids.append(tower(x, draw(0.12, 0.25), draw(0.25, 0.45), 0.65))
        solids.append(rod((-x * 0.3, 0, 0), (-x * 0.3, depth + draw(0.4, 1.0), 0), 0.018))
        solids.append(box((0.55, 0.95), around(depth, 0.1), (-beam * 0.15, beam * 0.15)))
    if kind == "carrier":  # a flight deck, with the island on the right
        z = beam * draw(1.1, 1.5)
        solids.append(box((-0.98, 0.98), (depth, depth + 0.05), (-z, z)))
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
    beam, depth, wall = draw(0.16, 0.4), draw(0.12, 0.35), draw(0.02, 0.06)
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
        solids += mirror(rod((-0.1, depth, beam * 0.9), blade, 0.018))
    elif draw.chance(0.35):  # an outrigger, on one side
        reach, y = beam + draw(0.25, 0.6), depth * 0.3
        poles = [rod((x, depth * 0.9, 0), (x, y, reach), 0.018) for x in (-0.3, 0.3)]
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
        solids.append(rod((front, depth, 0), (front, top, 0), 0.018))
        if draw.chance(0.7):
            sail = [(front, depth + 0.2), (front, top), (rear, depth + 0.2)]
            solids.append(prism(2, sail, (-0.014, 0.014)))
    return solids


def _inflatable(draw):
    """Return a boat with two round tubes that meet at the bow, and an engine."""
    size, beam, bend = draw(0.08, 0.16), draw(0.22, 0.4), draw(0.1, 0.5)
    solids = mirror(
        rod((-0.95, size, beam), (bend, size, beam), size),
        rod((bend, size, beam), (0.95, size * draw(1.2, 2.0), 0.02), size),
    )
    solids.append(box((-0.85, bend + 0.1), (size * 0.5, size * 0.9), (-beam, beam)))
    engine = box((-1.12, -0.95), (0, size * 2 + draw(0.05, 0.2)), (-0.08, 0.08))
    link = box((-1.0, -0.8), (size * 0.5, size), (-0.08, 0.08))
    if draw.chance(0.5):
        x = draw(-0.4, 0.2)
        high = size + draw(0.15, 0.5)
        solids.append(box(around(x, 0.1), (size * 0.5, high), (-beam * 0.4, beam * 0.4)))
    return [*solids, engine, link]


def _galleon(draw):
    """Return a deep wooden ship with castles, square sails and perhaps oars, or a longship."""
    long = draw.chance(0.3)
    beam = draw(0.12, 0.2) if long else draw(0.2, 0.4)
    depth = draw(0.12, 0.22) if long else draw(0.25, 0.5)
    rise = draw(0.05, 0.2)
    castles = (0, 0) if long else (rise * draw(0.3, 1.0), rise + draw(0, 0.2))
    bow, stern = draw(0.25, 0.5), draw(0.1, 0.4) if long else draw(0.5, 1.0)
    solids = _hull(draw, beam, depth, bow, stern, castles)
    masts = (0.05,) if long else draw.pick((0.0,), (0.3, -0.25), (0.45, 0.0, -0.5))
    top = depth + draw(0.7, 1.5)
    bend, count = draw(0, 0.08), 1 if long else draw.count(1, 3)
    for x in masts:
        solids.append(rod((x, 0, 0), (x, top, 0), 0.018))
        low, wide = depth + draw(0.1, 0.35), beam * draw(1.2, 2.2)
        each = (top - low) / count
        for i in range(count):  # each sail in two halves, which bulge forward
            y, middle = low + each * i, low + each * (i + 0.45)
            up = y + each * draw(0.75, 0.95)
            foot, fold, head = (
                (x + out, 0, 0.014, wide * w) for out, w in ((0.01, 1), (bend, 0.97), (0.01, 0.9))
            )
            solids += [loft(1, (y, middle), foot, fold), loft(1, (middle, up), fold, head)]
            wide *= 0.85
    if long:  # stems
        for x in (0.97, -0.97):
            stem = (x * 0.8, depth * 0.6, 0), (x * 1.08, depth + rise + 0.1, 0)
            solids.append(rod(*stem, 0.03))
    else:
        tip = (1 + draw(0.1, 0.4), depth + draw(0.1, 0.35), 0)
        solids.append(rod((0.9, depth - 0.03, 0), tip, 0.02))
    if draw.chance(0.6 if long else 0.1):
        for i in range(draw.count(4, 8)):
            x, reach = -0.6 + 0.16 * i, beam * draw(1.8, 2.4)
            solids += mirror(rod((x, depth - 0.03, 0), (x, depth * 0.4, reach), 0.014))
    return solids


def _submarine(draw):
    radius = draw(0.07, 0.2)
    x, high, tail = draw(-0.1, 0.45), radius + draw(0.08, 0.25), radius * draw(0.9, 1.4)
    solids = [
        ellipsoid((0, 0, 0), (1, radius, radius)),
        cylinder(0, (0, 0), radius * draw(0.93, 1.0), (-draw(0.3, 0.65), draw(0.5, 0.85))),
        loft(1, (0, high), (x, 0, draw(0.08, 0.25), draw(0.025, 0.06))),
        box((-0.95, -0.82), (-tail, tail), (-0.02, 0.02)),
        box((-0.95, -0.82), (-0.02, 0.02), (-tail, tail)),
    ]
    if draw.chance(0.4):
        solids.append(box(around(x, 0.06), (high - 0.08, high - 0.04), (-0.2, 0.2)))
    if draw.chance(0.3):  # a flat deck
        solids.append(box((-0.8, 0.85), (0, radius * 1.1), (-radius * 0.5, radius * 0.5)))
    if draw.chance(0.5):
        solids.append(rod((x, 0, 0), (x, high + draw(0.05, 0.25), 0), 0.016))
    return solids


def vessel(draw: Draw) -> list[Solid]:
    """Return a sailing, cargo, passenger, war, fishing, motor or rowing boat or a submarine."""
    kinds = [*[_sailboat] * 3, *[_ship] * 8, *[_motorboat] * 3, *[_galleon] * 2, *[_submarine] * 2]
    return draw.pick(*kinds, _rowboat, _catamaran, _inflatable)(draw)
