"""Cars, vans and trucks, nose to +x."""

from .draw import Draw
from .solids import Capsule, Solid, box, cylinder, loft, mirror, prism

# (low, high) ranges in percent for each body: hood, trunk, windshield and lean of the rear window
# relative to the length, height to length, belt line to height of the body, width to length.
_BODIES = {
    "sedan": ((20, 32), (10, 22), (8, 20), (6, 18), (22, 36), (50, 65), (30, 46)),
    "hatchback": ((12, 28), (0, 2), (6, 20), (5, 20), (30, 50), (45, 65), (38, 60)),
    "estate": ((20, 30), (0, 1), (8, 16), (0, 6), (26, 40), (50, 65), (32, 46)),
    "sports": ((30, 45), (0, 12), (15, 28), (15, 32), (15, 25), (55, 70), (36, 56)),
    "jeep": ((22, 36), (0, 5), (0, 6), (0, 3), (38, 60), (50, 70), (36, 60)),
    "van": ((2, 14), (0, 1), (3, 15), (0, 4), (32, 55), (35, 55), (28, 48)),
    "bus": ((0, 2), (0, 1), (0, 3), (0, 2), (17, 36), (30, 50), (16, 30)),
    "pickup": ((18, 30), (32, 48), (5, 15), (0, 5), (26, 42), (45, 60), (28, 44)),
    "limousine": ((14, 22), (10, 16), (4, 10), (3, 10), (14, 22), (50, 65), (17, 30)),
    "roadster": ((25, 50), (12, 30), (2, 6), (0, 0), (18, 30), (60, 80), (32, 56)),
}


def _wheels(draw, hz, axles, radius):
    width = draw(0.05, 0.12) * 2 * hz + 0.03
    out = hz + draw(-0.01, 0.05)
    return mirror(*(cylinder(2, (x, radius), radius, (out - 2 * width, out)) for x in axles))


def _truck(draw):
    """Return a cab with a box, a tank, a flat bed, a tipper or a crane behind it."""
    hz, cab, high = draw(0.14, 0.36), draw(0.2, 0.4), draw(0.35, 0.8)
    radius = draw(0.07, 0.14)
    floor = radius * 1.5
    hood = draw.pick(0, 0, draw(0.15, 0.35))
    front = 1 - hood
    solids = [
        box((-1, 0.95), (floor * 0.6, floor + 0.06), (-hz * 0.7, hz * 0.7)),
        loft(
            1,
            (floor, high),
            (front - cab / 2, 0, cab / 2, hz),
            (front - cab / 2 - 0.03, 0, cab / 2 - 0.03, hz * 0.92),
        ),
    ]
    if hood:
        low = floor + (high - floor) * draw(0.4, 0.6)
        solids.append(box((front - 0.05, 1), (floor, low), (-hz * 0.8, hz * 0.8)))
    rear = front - cab - draw(0.02, 0.12)
    top, load = (
        high * draw(0.8, 1.4),
        draw.pick(*["box"] * 4, *["tank", "flat", "tipper"] * 2, "crane"),
    )
    if load == "box":
        solids.append(box((-1, rear), (floor, top), (-hz, hz)))
    if load == "tank":
        half = (top - floor) / 2
        section = (floor + half, 0, half, hz)
        solids.append(loft(0, (-1, rear), section, section=draw.pick("round", "round", "box")))
    if load in ("flat", "crane"):
        solids.append(box((-1, rear), (floor, floor + 0.1), (-hz, hz)))
    if load == "tipper":
        start = (floor + 0.05, 0, 0.05, hz)
        solids.append(loft(0, (-1, rear), start, (top * 0.7, 0, 0.2, hz)))
        solids.append(box((-1, rear), (floor, floor + 0.1), (-hz * 0.8, hz * 0.8)))
    if load == "crane":
        side = draw(-0.1, 0.1)
        solids.append(Capsule((rear - 0.15, floor, side), (-draw(0.2, 1.2), top + 0.3, side), 0.05))
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
    for x in (-0.7, 0.62):
        solids.append(box((x - 0.03, x + 0.03), (radius - 0.03, radius + 0.03), (-hz, hz)))
    if draw.chance(0.7):
        wing = draw(0.6, 1.0) * hz
        solids.append(box((0.85, 1.0), (low + 0.02, low + 0.07), (-wing, wing)))
        solids.append(box((-1, -0.8), (high, high + 0.06), (-wing, wing)))
        solids.append(box((-0.95, -0.75), (low, high + 0.06), (-0.04, 0.04)))
    return solids + _wheels(draw, hz, (-0.7, 0.62), radius)


def car(draw: Draw) -> list[Solid]:
    """Return one of `_BODIES`, a truck or a racing car."""
    kind = draw.pick(*_BODIES, "truck", "truck", "racer")
    if kind == "truck":
        return _truck(draw)
    if kind == "racer":
        return _racer(draw)
    hood, trunk, shield, lean, tall, belt_at, hz = (
        draw(low / 100, high / 100) for low, high in _BODIES[kind]
    )
    length = 2.0  # half the width then equals the ratio of width to length
    radius = draw(0.1, 0.19)
    floor = radius * draw(0.5, 1.4)
    roof = floor * 0.3 + tall * length
    belt = floor + belt_at * (roof - floor)
    # Lower body, seen from the side: hood and trunk may slope to the ends.
    drop, dip = draw(0, 0.5) * (belt - floor) * 0.6, draw(0, 0.3) * (belt - floor) * 0.6
    bonnet = 1 - hood * length
    boot = -1 + trunk * length
    side = [(-1, floor), (1, floor), (1, belt - drop), (bonnet, belt), (boot, belt)]
    solids = [prism(2, [*side, (-1, belt - (dip if trunk > 0.05 else 0))], (-hz, hz))]
    front, rear = bonnet - shield * length, boot + lean * length
    narrow = draw(0.7, 0.98)
    if kind == "roadster":
        solids.append(
            loft(
                1,
                (belt - 0.05, roof),
                (bonnet, 0, 0.03, hz * 0.9),
                (bonnet - shield * 2, 0, 0.03, hz * 0.8),
            )
        )
        if draw.chance(0.6):
            solids.append(
                box((boot, boot + 0.12), (belt - 0.05, roof - 0.02), (-hz * 0.7, hz * 0.7))
            )
    else:
        front = max(front, rear + 0.15)
        start = ((bonnet + boot) / 2, 0, (bonnet - boot) / 2, hz)
        end = ((front + rear) / 2, 0, (front - rear) / 2, hz * narrow)
        solids.append(loft(1, (belt - 0.02, roof), start, end))
    if kind == "pickup":  # the bed: lower the belt behind the cab, then add its walls
        solids[0] = prism(
            2,
            [
                (-1, floor),
                (1, floor),
                (1, belt - drop),
                (bonnet, belt),
                (boot, belt),
                (boot, (floor + belt) / 2),
                (-1, (floor + belt) / 2),
            ],
            (-hz, hz),
        )
        wall = draw(0.03, 0.06)
        solids += mirror(box((-1, boot + 0.02), (floor, belt), (hz - 2 * wall, hz)))
        solids.append(box((-1, -1 + 2 * wall), (floor, belt), (-hz, hz)))
    extra = draw.pick("none", "none", "spoiler", "rack", "spare", "bumpers", "ladder")
    if extra == "spoiler":
        rise = belt + draw(0.08, 0.2)
        solids.append(box((-1.02, -0.85), (rise - 0.05, rise), (-hz * 0.9, hz * 0.9)))
        solids += mirror(box((-0.98, -0.88), (belt - 0.2, rise), (hz * 0.5, hz * 0.6)))
    if extra == "rack" and kind not in ("roadster", "pickup"):
        solids.append(
            box((rear, front), (roof - 0.02, roof + draw(0.06, 0.15)), (-hz * 0.6, hz * 0.6))
        )
    if extra == "spare":
        y = (floor + belt) / 2 + 0.05
        solids.append(cylinder(0, (y, 0), radius, (-1.12, -0.98)))
    if extra == "bumpers":
        solids.append(box((-1.08, 1.08), (floor, floor + 0.1), (-hz * 0.95, hz * 0.95)))
    if extra == "ladder" and kind in ("van", "bus", "jeep"):  # a box on one side of the roof
        solids.append(box((rear, front), (roof - 0.02, roof + 0.12), (hz * 0.1, hz * 0.7)))
    axles = [1 - draw(0.25, 0.45), -1 + draw(0.25, 0.5)]
    if kind == "bus" and draw.chance(0.4):
        axles.append(axles[1] + 2.4 * radius)
    return solids + _wheels(draw, hz, axles, radius)
