"""Cars, vans and trucks, nose to +x."""

import itertools

from .draw import Draw
from .solids import Solid, around, box, cylinder, loft, mirror, rod

# (low, high) ranges in percent for each body: hood, trunk, windshield and lean of the rear window
# relative to the length, height to length, belt line to height of the body, width to length.
_BODIES = {
    "sedan": ((23, 33), (7, 20), (11, 20), (9, 21), (30, 38), (60, 74), (38, 47)),
    "hatchback": ((17, 29), (0, 4), (12, 21), (3, 16), (33, 45), (57, 69), (39, 49)),
    "estate": ((21, 31), (0, 2), (10, 18), (2, 12), (30, 39), (56, 70), (38, 47)),
    "sports": ((28, 42), (2, 15), (13, 25), (14, 31), (24, 33), (60, 76), (39, 50)),
    "SUV": ((19, 31), (0, 3), (7, 15), (1, 9), (35, 46), (54, 69), (38, 48)),
    "jeep": ((22, 36), (0, 5), (0, 6), (0, 3), (36, 52), (50, 70), (40, 60)),
    "van": ((2, 18), (0, 1), (5, 20), (0, 6), (32, 50), (38, 60), (34, 50)),
    "bus": ((0, 2), (0, 1), (0, 3), (0, 2), (17, 36), (30, 50), (16, 30)),
    "pickup": ((18, 30), (32, 48), (7, 15), (0, 5), (28, 40), (52, 68), (34, 48)),
    "limousine": ((14, 22), (8, 16), (5, 10), (4, 12), (14, 24), (52, 70), (17, 32)),
    "roadster": ((28, 48), (12, 32), (3, 9), (0, 0), (21, 31), (62, 82), (38, 54)),
}
_USUAL = ("sedan", "sports", "hatchback")  # drawn seven times as often as the others
_ALSO = ("estate", "SUV", "van", "roadster")  # and three times as often


def _shell(section, *stations):
    """Return a body through its (x, low, top, half width) stations, from the rear to the nose."""
    ends = [(x, ((a + b) / 2, 0, (b - a) / 2, half)) for x, a, b, half in stations]
    return [loft(0, (a[0], b[0]), a[1], b[1], section) for a, b in itertools.pairwise(ends)]


def _rounded(top, shoulder, foot):
    """Return a section with the given half widths at its top, above its middle and at its foot."""
    upper = ((1.0, top), (0.75, (top + 2 * shoulder) / 3), (0.3, shoulder))
    right = (*upper, (-0.6, 1.0), (-1.0, foot))
    return (*right, *((u, -v) for u, v in reversed(right)))


def _wheels(draw, hz, axles, radius):
    width, out = draw(0.09, 0.2), hz * draw(0.94, 1.06)
    return mirror(*(cylinder(2, (x, radius), radius, (out - width, out)) for x in axles))


def _truck(draw):
    """Return a cab with a box, a tank, a flat bed, a tipper or a crane behind it."""
    hz, cab, high = draw(0.14, 0.36), draw(0.2, 0.4), draw(0.35, 0.8)
    radius = draw(0.07, 0.14)
    floor, hood = radius * 1.5, draw.pick(0, 0, draw(0.15, 0.35))
    front = 1 - hood
    middle, half = front - cab / 2, cab / 2
    solids = [
        box((-1, 0.95), (floor * 0.6, floor + 0.06), (-hz * 0.7, hz * 0.7)),
        loft(1, (floor, high), (middle, 0, half, hz), (middle - 0.03, 0, half - 0.03, hz * 0.92)),
    ]
    if hood:
        low = floor + (high - floor) * draw(0.4, 0.6)
        solids.append(box((front - 0.05, 1), (floor, low), (-hz * 0.8, hz * 0.8)))
    rear, top = front - cab - draw(0.02, 0.12), high * draw(0.8, 1.4)
    load = draw.pick(*["box"] * 4, *["tank", "flat", "tipper"] * 2, "crane")
    if load == "box":
        solids.append(box((-1, rear), (floor, top), (-hz, hz)))
    if load == "tank":
        section, half = draw.pick("round", "round", "box"), (top - floor) / 2
        solids.append(loft(0, (-1, rear), (floor + half, 0, half, hz), section=section))
    if load in ("flat", "crane"):
        solids.append(box((-1, rear), (floor, floor + 0.1), (-hz, hz)))
    if load == "tipper":
        start = (floor + 0.05, 0, 0.05, hz)
        solids.append(loft(0, (-1, rear), start, (top * 0.7, 0, 0.2, hz)))
        solids.append(box((-1, rear), (floor, floor + 0.1), (-hz * 0.8, hz * 0.8)))
    if load == "crane":
        side = draw(-0.1, 0.1)
        solids.append(rod((rear - 0.15, floor, side), (-draw(0.2, 1.2), top + 0.3, side), 0.05))
    axles = [front - cab * 0.3, -0.75, *([-0.45] if draw.chance(0.5) else [])]
    return solids + _wheels(draw, hz, axles, radius)


def _racer(draw):
    """Return an open-wheeled racing car or a dune buggy."""
    hz, radius, body = draw(0.3, 0.48), draw(0.09, 0.17), draw(0.08, 0.15)
    low, high = radius * draw(0.3, 0.8), radius * 2 + draw(0, 0.15)
    solids = [
        loft(0, (-0.8, 0.95), (low + 0.12, 0, 0.1, body * 1.6), (low + 0.06, 0, 0.04, body * 0.5)),
        box((-0.5, 0.2), (low, low + 0.14), (-hz * 0.7, hz * 0.7)),
        loft(1, (low, high + 0.1), (-0.3, 0, 0.3, body), (-0.35, 0, 0.08, body * 0.6)),
    ]
    solids += [box(around(x, 0.03), around(radius, 0.03), (-hz, hz)) for x in (-0.7, 0.62)]
    if draw.chance(0.7):
        wing = draw(0.6, 1.0) * hz
        solids += [
            box((0.85, 1.0), (low + 0.02, low + 0.07), (-wing, wing)),
            box((-1, -0.8), (high, high + 0.06), (-wing, wing)),
            box((-0.95, -0.75), (low, high + 0.06), (-0.04, 0.04)),
        ]
    return solids + _wheels(draw, hz, (-0.7, 0.62), radius)


def _cabin(draw, section, ends, edge, roof, hz):
    """Return a greenhouse whose glass runs from `ends` at the belt line to `edge` at the roof."""
    (boot, bonnet, belt), (rear, front), low = ends, edge, ends[2] - 0.12
    side, bow = hz * draw(0.86, 0.97), draw(0.9, 1.0)
    shoulder = belt + (roof - belt) * bow
    peak = rear + (front - rear) * draw(0.45, 0.85)
    if draw.chance(0.93):
        return _shell(
            section,
            (boot, low, belt, side * draw(0.8, 1.0)),
            (rear, low, shoulder, side),
            (peak, low, roof, side),
            (front, low, shoulder, side * 0.97),
            (bonnet, low, belt, side * draw(0.8, 1.0)),
        )
    high, narrow = side * 0.75, draw(0.025, 0.05)  # open windows
    feet = ((boot, rear), (peak, peak), (bonnet, front))
    pillars = [rod((a, belt, side * 0.9), (b, shoulder - 0.03, high), narrow) for a, b in feet]
    seats = [(rear + (front - rear) * at, belt) for at in (0.1, 0.65)]
    return [
        *_shell("box", (rear, roof - 0.08, roof, high), (front, roof - 0.08, roof, high)),
        *mirror(*pillars),
        *(box((x, x + 0.09), (y - 0.1, y + 0.12), (-side * 0.7, side * 0.7)) for x, y in seats),
    ]


def _extras(draw, kind, hz, belt, roof, edge):
    """Return what some cars carry: mirrors, a spoiler, a rack, bumpers or an antenna."""
    (rear, front), solids = edge, []
    if draw.chance(0.5):
        x, door = front + draw(-0.03, 0.1), (hz * 0.55, hz + draw(0.04, 0.13))
        y = (belt - 0.04, belt + draw(0.02, 0.07))
        solids += mirror(box((x, x + draw(0.03, 0.07)), y, door))
    low = kind in ("sedan", "sports", "roadster", "hatchback")
    extra = draw.pick(*["none"] * 5, "spoiler", "rack", "spare", "bumpers", "ladder", "antenna")
    if extra == "spoiler" and low:
        rise, deep = belt + draw(0.04, 0.2), draw(0.07, 0.16)
        solids.append(box((-1.02, deep - 1.02), (rise - 0.03, rise), (-hz * 0.9, hz * 0.9)))
        solids += mirror(box((-0.98, -0.92), (belt - 0.2, rise), (hz * 0.5, hz * 0.58)))
    if extra == "rack" and kind not in ("roadster", "pickup"):
        y, z = (roof - 0.06, roof + draw(0.03, 0.1)), hz * draw(0.45, 0.6)
        bar = box((rear, front), y, (z - 0.05, z))
        solids += mirror(bar) if draw.chance(0.6) else [box((rear, front), y, (-z, z))]
    if extra == "spare" and kind in ("SUV", "jeep"):
        solids.append(cylinder(0, (belt * 0.75, 0), belt * 0.3, (-1.12, -0.98)))
    if extra == "bumpers":
        y = belt * draw(0.3, 0.5)
        solids.append(box((-1.05, 1.05), (y - 0.07, y), (-hz * 0.85, hz * 0.85)))
    if extra == "ladder" and kind in ("van", "bus", "jeep"):  # a box on one side of the roof
        solids.append(box((rear, front), (roof - 0.02, roof + 0.12), (hz * 0.1, hz * 0.7)))
    if extra == "antenna" and kind != "roadster":
        x = draw(rear, front)
        solids.append(rod((x, roof - 0.1, 0), (x - 0.08, roof + draw(0.05, 0.25), 0), 0.015))
    return solids


def car(draw: Draw) -> list[Solid]:
    """Return one of `_BODIES`, a truck or a racing car."""
    kind = draw.pick(*_BODIES, *_USUAL * 6, *_ALSO * 2, "truck", "racer")
    if kind == "truck":
        return _truck(draw)
    if kind == "racer":
        return _racer(draw)
    hood, trunk, shield, lean, tall, belt_at, hz = (
        draw(low / 100, high / 100) for low, high in _BODIES[kind]
    )
    length = 2.0  # half the width then equals the ratio of width to length
    radius = draw(0.13, 0.19) * (1.15 if kind in ("SUV", "jeep") else 1.0)
    if kind in ("bus", "limousine"):
        radius = draw(0.09, 0.14)
    floor = radius * (draw(0.6, 1.3) if kind in ("SUV", "jeep", "pickup") else draw(0.2, 0.7))
    roof = max(tall * length, floor + radius + 0.1)
    belt = floor + belt_at * (roof - floor)
    bonnet, boot = min(1 - hood * length, 0.95), max(-1 + trunk * length, -0.97)
    front, rear = bonnet - shield * length, boot + lean * length
    front = max(front, rear + 0.15)

    # The lower body: its ends are rounded, and hood and trunk slope to them.
    deep, curve = belt - floor, draw(0, 1) * (0.3 if kind in ("bus", "van", "jeep") else 1)
    drop, dip = draw(0, 0.45) * deep * (hood > 0.05), draw(0, 0.2) * deep * (trunk > 0.05)
    lift, bend = draw(0, 0.3) * deep, 0.04 + 0.08 * curve
    section = _rounded(draw(0.75, 0.98), draw(0.93, 1.0), draw(0.85, 1.0))
    tip, tail, knee = 1 - 0.5 * curve, 1 - 0.35 * curve, max(boot, -0.98 + 2 * bend)
    top, hip = belt - drop, min(bonnet, 0.98 - 2 * bend)
    solids = _shell(
        section,
        (hip, floor, belt, hz),
        ((hip + 1 - bend) / 2, floor, belt - drop * draw(0.2, 0.5), hz),
        (1 - bend, floor, top, hz * (1 + tip) / 2),
        (1, floor + lift * draw(0, 1), top - 0.25 * curve * (top - floor), hz * tip),
    )
    if kind == "pickup":  # the walls of the bed
        wall = draw(0.03, 0.06)
        solids += mirror(box((-1, boot + 0.02), (floor, belt), (hz - 2 * wall, hz)))
        solids.append(box((-1, -1 + 2 * wall), (floor, belt), (-hz, hz)))
        solids.append(box((-1, knee), (floor, (floor + belt) / 2), (-hz, hz)))
    else:
        end = (belt - dip) - 0.2 * curve * deep
        solids += _shell(
            section,
            (-1, floor + lift, end, hz * tail),
            (bend - 1, floor + lift / 2, belt - dip, hz * (1 + tail) / 2),
            (knee, floor, belt, hz),
        )
    waist = [(knee, floor, belt, hz), (hip, floor, belt, hz)]
    if kind == "roadster":  # an open cockpit with seats and a windshield
        sill, base, reach = floor + deep * draw(0.3, 0.9), belt - 0.1, bonnet - shield * length
        solids += _shell(section, (knee, floor, sill, hz), (hip, floor, sill, hz))
        solids += mirror(box((knee, hip), (floor, belt), (hz * 0.8, hz)))
        glass = (hip, 0, 0.03, hz * 0.85), (reach, 0, 0.03, hz * 0.7)
        solids.append(loft(1, (base, roof), *glass))
        for x in (knee + 0.05, (knee + hip) / 2)[: draw.count(0, 2)]:
            seat = box((x, x + 0.1), (sill - 0.1, draw(belt, roof)), (hz * 0.12, hz * 0.65))
            solids += mirror(seat)
    else:
        solids += _shell(section, *waist)
        high = draw(0.74, 0.94)
        glass = _rounded(high * draw(0.6, 1.0), high, 1.0)
        solids += _cabin(draw, glass, (boot, bonnet, belt), (rear, front), roof, hz)
    solids += _extras(draw, kind, hz, belt, roof, (rear, front))
    axles = [1 - draw(0.3, 0.48), -1 + draw(0.32, 0.52)]
    if draw.chance(0.2):  # flared arches
        arch = radius * draw(1.1, 1.3)
        z = (hz * 0.7, hz * draw(1.0, 1.06))
        solids += mirror(*(cylinder(2, (x, radius * 1.1), arch * 0.9, z) for x in axles))
    if kind == "bus" and draw.chance(0.4):
        axles.append(axles[1] + 2.4 * radius)
    return solids + _wheels(draw, hz, axles, radius)
