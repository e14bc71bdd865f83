"""Cars, vans and trucks, nose to +x."""

import itertools

from .draw import Draw
from .solids import Solid, around, box, cylinder, loft, mirror, rod

# (low, high) ranges in percent for each body: hood, trunk, windshield and lean of the rear window
# relative to the length, height to length, belt line to height of the body, width to length.
_BODIES = {
    "sedan": ((20, 32), (10, 22), (8, 20), (6, 18), (24, 36), (50, 65), (38, 56)),
    "hatchback": ((12, 28), (0, 2), (6, 20), (5, 20), (30, 46), (45, 65), (42, 60)),
    "estate": ((20, 30), (0, 1), (8, 16), (0, 6), (27, 38), (50, 65), (38, 54)),
    "sports": ((30, 45), (0, 12), (15, 28), (15, 32), (19, 28), (55, 70), (42, 60)),
    "jeep": ((22, 36), (0, 5), (0, 6), (0, 3), (36, 52), (50, 70), (40, 60)),
    "van": ((2, 14), (0, 1), (3, 15), (0, 4), (34, 52), (35, 55), (34, 54)),
    "bus": ((0, 2), (0, 1), (0, 3), (0, 2), (17, 36), (30, 50), (16, 30)),
    "pickup": ((18, 30), (32, 48), (5, 15), (0, 5), (28, 40), (45, 60), (34, 50)),
    "limousine": ((14, 22), (10, 16), (4, 10), (3, 10), (14, 22), (50, 65), (17, 30)),
    "roadster": ((25, 50), (12, 30), (2, 6), (0, 0), (20, 30), (60, 80), (40, 58)),
}
_USUAL = ("sedan", "hatchback", "sports")  # drawn three times as often as the others
_ALSO = ("estate", "jeep", "van", "roadster")  # and twice as often
# A rectangle without its corners, in halves of its sides.
_RIGHT = ((1.0, 0.7), (0.6, 1.0), (-0.8, 1.0), (-1.0, 0.85))
_ROUNDED = (*_RIGHT, *((u, -v) for u, v in reversed(_RIGHT)))


def _hull(low, points, section=_ROUNDED):
    """Return a body from `low` up to its (x, top, half width) points, from the rear to the nose."""
    ends = [(x, ((low + top) / 2, 0, (top - low) / 2, half)) for x, top, half in points]
    return [loft(0, (a[0], b[0]), a[1], b[1], section) for a, b in itertools.pairwise(ends)]


def _wheels(draw, hz, axles, radius):
    width = draw(0.05, 0.12) * 2 * hz + 0.03
    out = hz + draw(-0.01, 0.05)
    return mirror(*(cylinder(2, (x, radius), radius, (out - 2 * width, out)) for x in axles))


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


def car(draw: Draw) -> list[Solid]:
    """Return one of `_BODIES`, a truck or a racing car."""
    kind = draw.pick(*_BODIES, *_USUAL, *_USUAL, *_ALSO, "truck", "racer")
    if kind == "truck":
        return _truck(draw)
    if kind == "racer":
        return _racer(draw)
    hood, trunk, shield, lean, tall, belt_at, hz = (
        draw(low / 100, high / 100) for low, high in _BODIES[kind]
    )
    length = 2.0  # half the width then equals the ratio of width to length
    radius = draw(0.1, 0.19)
    floor = radius * (draw(0.5, 1.4) if kind in ("jeep", "pickup", "bus") else draw(0.25, 0.9))
    roof = floor * 0.3 + tall * length
    belt = floor + belt_at * (roof - floor)
    # The lower body: hood and trunk may slope to the ends, and the ends may be narrower.
    drop, dip = draw(0, 0.5) * (belt - floor) * 0.6, draw(0, 0.3) * (belt - floor) * 0.6
    bonnet, boot = min(1 - hood * length, 0.97), max(-1 + trunk * length, -0.97)
    nose, tail = hz * draw(0.65, 1.0), hz * draw(0.75, 1.0)
    waist = [(boot, belt, hz), ((boot + bonnet) / 2, belt, hz), (bonnet, belt, hz)]
    low_tail = belt - (dip if trunk > 0.05 else 0)
    solids = _hull(floor, [(-1, low_tail, tail), *waist, (1, belt - drop, nose)])
    front, rear = bonnet - shield * length, boot + lean * length
    narrow = draw(0.7, 0.98)
    if kind == "roadster":
        start, end = (bonnet, 0, 0.03, hz * 0.9), (bonnet - shield * 2, 0, 0.03, hz * 0.8)
        solids.append(loft(1, (belt - 0.05, roof), start, end))
        if draw.chance(0.6):
            seats = (belt - 0.05, roof - 0.02)
            solids.append(box((boot, boot + 0.12), seats, (-hz * 0.7, hz * 0.7)))
    else:
        front = max(front, rear + 0.15)
        start = ((bonnet + boot) / 2, 0, (bonnet - boot) / 2, hz)
        end = ((front + rear) / 2, 0, (front - rear) / 2, hz * narrow)
        section = _ROUNDED if draw.chance(0.5) else "box"
        solids.append(loft(1, (belt - 0.02, roof), start, end, section))
    if kind == "pickup":  # the bed: lower the belt behind the cab, then add its walls
        solids[0] = box((-1, boot), (floor, (floor + belt) / 2), (-hz, hz))
        wall = draw(0.03, 0.06)
        solids += mirror(box((-1, boot + 0.02), (floor, belt), (hz - 2 * wall, hz)))
        solids.append(box((-1, -1 + 2 * wall), (floor, belt), (-hz, hz)))
    extra = draw.pick("none", "none", "spoiler", "rack", "spare", "bumpers", "ladder")
    if extra == "spoiler":
        rise = belt + draw(0.08, 0.2)
        solids.append(box((-1.02, -0.85), (rise - 0.05, rise), (-hz * 0.9, hz * 0.9)))
        solids += mirror(box((-0.98, -0.88), (belt - 0.2, rise), (hz * 0.5, hz * 0.6)))
    if extra == "rack" and kind not in ("roadster", "pickup"):
        y = (roof - 0.02, roof + draw(0.06, 0.15))
        solids.append(box((rear, front), y, (-hz * 0.6, hz * 0.6)))
    if extra == "spare":
        solids.append(cylinder(0, ((floor + belt) / 2 + 0.05, 0), radius, (-1.12, -0.98)))
    if extra == "bumpers":
        solids.append(box((-1.08, 1.08), (floor, floor + 0.1), (-hz * 0.95, hz * 0.95)))
    if extra == "ladder" and kind in ("van", "bus", "jeep"):  # a box on one side of the roof
        solids.append(box((rear, front), (roof - 0.02, roof + 0.12), (hz * 0.1, hz * 0.7)))
    axles = [1 - draw(0.25, 0.45), -1 + draw(0.25, 0.5)]
    if kind == "bus" and draw.chance(0.4):
        axles.append(axles[1] + 2.4 * radius)
    return solids + _wheels(draw, hz, axles, radius)
