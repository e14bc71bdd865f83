"""Airplanes, nose to +x."""

import itertools

from .draw import Draw
from .solids import Solid, around, box, cylinder, ellipsoid, loft, mirror, rod


def _fuselage(*stations):
    """Return a body through (x, y, half height, half width) stations, from the tail to the nose."""
    ends = [(x, (y, 0, high, wide)) for x, y, high, wide in stations]
    return [loft(0, (a[0], b[0]), a[1], b[1], "round") for a, b in itertools.pairwise(ends)]


def _wing(z, y, lead, trail, thick):
    """Return both wings; each pair is of the root and the tip, `lead` and `trail` the edges' x."""
    half = [(a - b) / 2 for a, b in zip(lead, trail, strict=True)]
    middle = [(a + b) / 2 for a, b in zip(lead, trail, strict=True)]
    start, end = (middle[0], y[0], half[0], thick), (middle[1], y[1], half[1], thick * 0.7)
    return mirror(loft(2, z, start, end))


def _fin(y, lead, trail, z=(0, 0)):
    """Return a fin whose edges go from root to tip."""
    half = [(a - b) / 2 for a, b in zip(lead, trail, strict=True)]
    middle = [(a + b) / 2 for a, b in zip(lead, trail, strict=True)]
    return loft(1, y, (middle[0], z[0], half[0], 0.04), (middle[1], z[1], half[1], 0.028))


def _tail(draw, kind, rear, y, chord):
    """Return a low, T, V, cross or twin tail that ends at `rear`, on a body at height y."""
    rise, lean, tip = draw(0.17, 0.36), draw(0.05, 0.9), draw(0.4, 0.85) * chord
    lead, trail = rear + chord, rear
    end = lead - lean * rise, lead - lean * rise - tip
    span, sweep = draw(0.25, 0.45), draw(0, 0.5)
    if kind == "V":
        spread = (0.01, rise * draw(0.6, 1.1))
        return mirror(_fin((y, y + rise), (lead, end[0]), (trail, end[1]), spread))
    at = {"T": rise - 0.02, "cross": rise * 0.4}.get(kind, 0.0)
    along = lead - lean * at if at else lead
    edges = (along, along - sweep * span), (along - chord * 0.9, along - sweep * span - tip * 0.9)
    solids = _wing((0, span), (y + at, y + at + draw(-0.02, 0.06)), *edges, 0.036)
    fin = _fin((y, y + rise), (lead, end[0]), (trail, end[1]))
    if kind == "twin":
        z = span * draw(0.8, 0.97)
        shift = sweep * z
        edges = (lead - shift, end[0] - shift), (lead - shift - tip, end[1] - shift)
        return solids + mirror(_fin((y - rise * draw(0, 0.4), y + rise * 0.8), *edges, (z, z)))
    return [*solids, fin]


def _gear(draw, low, z, x=(0.0, 0.6), high=0.0):
    """Return two main wheels and a nose or tail wheel, each on a leg."""
    size = draw(0.03, 0.06)
    legs = rod((x[0], low, z), (x[0], high, z * 0.3), 0.015)
    wheels = cylinder(2, (x[0], low), size, (z - 0.02, z + 0.02))
    return [*mirror(legs, wheels), rod((x[1], low * 0.9, 0), (x[1], high, 0), 0.02)]


def _propeller(draw, x, y=0.0, z=0.0):
    """Return the blades of a propeller on its shaft, or the disc that they sweep."""
    blade = draw(0.12, 0.28)
    shaft = rod((x - 0.08, y, z), (x + 0.02, y, z), 0.02)
    kind = draw.pick("upright", "level", "upright", "level", "disc")
    half = {"upright": (blade, 0.02), "level": (0.02, blade), "disc": (blade, blade)}[kind]
    section = "round" if kind == "disc" else "box"
    return [shaft, loft(0, (x, x + 0.02), (y, z, *half), section=section)]


def _airliner(draw):
    """Return a jet with engines under thin swept wings or at its rear."""
    r = draw(0.075, 0.13)
    rear = -draw(0.35, 0.6)
    solids = _fuselage(
        (-1, r * 0.5, r * 0.15, r * 0.12),
        (rear, 0, r, r),
        (1 - 2.2 * r, 0, r, r),
        (1 - 0.7 * r, -0.1 * r, r * 0.7, r * 0.75),
        (1, -0.3 * r, r * 0.2, r * 0.2),
    )
    lead, chord, span, sweep = draw(0.1, 0.4), draw(0.34, 0.56), draw(0.7, 1.1), draw(0.3, 0.8)
    place = draw.pick(-0.7, -0.7, -0.7, 0.8)
    low, rise, thick = (
        place * r,
        draw(0, 0.14) if place < 0 else draw(-0.1, 0.02),
        draw(0.025, 0.065),
    )
    front = lambda z: lead - sweep * z
    kink = span * draw(0.25, 0.4)
    inner = lead - chord, lead - chord - draw(-0.02, 0.12)
    height = lambda z: low + rise * z / span
    tip = front(span) - draw(0.08, 0.18)
    solids += _wing((0, kink), (low, height(kink)), (lead, front(kink)), inner, thick)
    outer = (front(kink), front(span)), (inner[1], min(tip, inner[1] + 0.1))
    solids += _wing((kink, span), (height(kink), height(span)), *outer, thick * 0.7)
    if draw.chance(0.3):
        high = height(span) - 0.01, height(span) + draw(0.06, 0.16)
        edges = (front(span), front(span) - 0.08), (outer[1][1], outer[1][1] - 0.02)
        solids += mirror(_fin(high, *edges, (span - 0.02, span)))
    size, length, kind = draw(0.03, 0.06), draw(0.09, 0.16), draw.pick("low", "low", "low", "cross")
    if draw.chance(0.75):
        for at in draw.pick((0.33,), (0.33,), (0.3, 0.6)):
            z = at * span
            x, y = front(z) + draw(0, 0.06), height(z) - size * draw(1.0, 1.5)
            pylon = box((x - length, x), (y, height(z)), around(z, 0.012))
            solids += mirror(cylinder(0, (y, z), size, around(x, length), size * 1.2), pylon)
    else:
        x, kind, z = -draw(0.45, 0.65), "T", r * 0.8 + size
        pylon = box(around(x, length * 0.5), around(r * 0.3, 0.015), (0, z))
        solids += mirror(cylinder(0, (r * 0.3, z), size, around(x, length)), pylon)
    if draw.chance(0.12):
        solids += _gear(draw, low - draw(0.06, 0.14), draw(0.1, 0.2), (lead - chord * 0.8, 0.75))
    return solids + _tail(draw, kind, -0.98, r * 0.4, draw(0.16, 0.3))


def _fighter(draw):
    """Return a jet with swept or delta wings, one fin or two, and perhaps stores."""
    r, wide = draw(0.08, 0.15), draw(0.08, 0.2)
    waist, rear = draw(-0.1, 0.3), -draw(0.88, 1.0)
    solids = _fuselage(
        (rear, 0, r * 0.7, wide * 0.85),
        (-0.6, 0, r, wide),
        (waist, 0, r, wide),
        (draw(0.4, 0.6), 0, r * draw(0.7, 1.0), min(wide, r) * 0.8),
        (0.98, -r * 0.3, 0.015, 0.015),
    )
    pit = draw(0.3, 0.6)
    solids.append(ellipsoid((pit, r * 0.8, 0), (draw(0.15, 0.35), r * 0.9, r * 0.7)))
    if draw.chance(0.5):  # intakes along the sides
        z, x = wide + draw(0.0, 0.07), waist + draw(0, 0.15)
        solids += mirror(box((-0.65, x), (-r * draw(0.6, 1.1), r * 0.5), (wide * 0.4, z)))
    if draw.chance(0.4):
        nozzle = cylinder(0, (0, wide * 0.6), r * 0.75, (rear - 0.05, -0.5))
        solids += mirror(nozzle)

    delta = draw.chance(0.35)
    lead = draw(0.15, 0.45) if delta else draw(0.0, 0.35)
    trail = -draw(0.6, 0.88) if delta else -draw(0.4, 0.72)
    span = draw(0.45, 0.75) if delta else draw(0.5, 0.85)
    end = max(lead - span * (draw(0.9, 1.5) if delta else draw(0.3, 1.1)), -0.85)
    tip = min(end - draw(0.03, 0.2), trail + draw(-0.2, 0.15))
    y, thick, drop = draw(-0.5, 0.5) * r, draw(0.025, 0.075), draw(-0.06, 0.04)
    solids += _wing((0, span), (y, y + drop), (lead, end), (trail, tip), thick)
    if draw.chance(0.4):  # roots that run forward along the body
        edges = (lead + draw(0.15, 0.4), lead - 0.1), (trail, trail)
        solids += _wing((0, wide + draw(0.03, 0.12)), (y, y), *edges, thick)
    if draw.chance(0.3):  # stores at the tips or under the wings
        at = draw.pick(0.98, draw(0.45, 0.75))
        z, size, x = at * span, draw(0.015, 0.035), (trail + at * (tip - trail))
        below = y + drop * at - (0 if at > 0.9 else size + thick)
        store = rod((x - 0.03, below, z), (x + draw(0.2, 0.4), below, z), size)
        solids += mirror(store, box((x, x + 0.12), (below, y + drop * at), around(z, 0.012)))

    rise, chord, lean = draw(0.2, 0.4), draw(0.25, 0.5), draw(0.3, 1.1)
    root = rear + chord * draw(0.8, 1.05)
    edges = (root, root - lean * rise), (root - chord, root - lean * rise - chord * draw(0.3, 0.6))
    if draw.chance(0.5):
        z, spread = wide * draw(0.6, 1.0), draw(-0.02, 0.18)
        solids += mirror(_fin((0, r * 0.5 + rise * 0.8), *edges, (z, z + spread)))
    else:
        solids.append(_fin((0, r + rise), *edges))
    if not delta or draw.chance(0.2):
        at, reach, back = rear + draw(0.15, 0.35), span * draw(0.5, 0.8), draw(0.15, 0.4)
        edges = (at, at - back), (at - draw(0.28, 0.42), at - back - draw(0.1, 0.25))
        solids += _wing((0, reach), (0, draw(-0.05, 0.03)), *edges, 0.036)
    elif draw.chance(0.45):
        at = draw(0.35, 0.55)
        edges = (at, at - draw(0.1, 0.22)), (at - 0.2, at - 0.27)
        solids += _wing((0, draw(0.2, 0.34)), (r * 0.2, r * 0.4), *edges, 0.036)
    if draw.chance(0.15):
        solids += _gear(draw, -r - draw(0.06, 0.14), wide * draw(1.0, 1.6), (-0.25, 0.5))
    return solids


def _shuttle(draw):
    """Return a stout body with a broad delta wing, as of a space shuttle or a dart."""
    r, wide = draw(0.09, 0.18), draw(0.09, 0.2)
    solids = _fuselage(
        (-0.97, 0, r, wide), (0.5, 0, r, wide), (0.85, -r * 0.3, r * 0.6, wide * 0.6)
    )
    solids += _fuselage((0.85, -r * 0.3, r * 0.6, wide * 0.6), (1, -r * 0.5, r * 0.2, wide * 0.2))
    span, knee, tip = draw(0.5, 0.85), draw(0.0, 0.4), draw(0.08, 0.25)
    middle, low = draw(0.25, 0.45) * span, -r * draw(0.4, 0.8)
    first = (draw(0.4, 0.75), knee), (-0.85, -0.85)
    solids += _wing((0, middle), (low, low), *first, draw(0.02, 0.04))
    edges = (knee, tip - 0.75), (-0.85, -draw(0.75, 0.9))
    solids += _wing((middle, span), (low, low + draw(0, 0.06)), *edges, 0.02)
    rise = r + draw(0.2, 0.36)
    return [*solids, _fin((0, rise), (-0.55, -0.85), (-0.95, -1.0))]


def _light(draw):
    """Return a propeller plane: straight wings, one nose propeller or one on each wing."""
    r, rear = draw(0.07, 0.15), -draw(0.1, 0.4)
    slim = draw(0.75, 1.0)
    solids = _fuselage(
        (-1, r * 0.3, r * 0.25, r * 0.15),
        (rear, 0, r, r * slim),
        (0.6, 0, r, r * slim),
        (0.9, 0, r * 0.7, r * 0.7),
        (0.98, 0, r * 0.35, r * 0.35),
    )
    at = draw(0, 0.35)
    solids.append(ellipsoid((at, r * 0.8, 0), (draw(0.18, 0.35), r * draw(0.6, 1), r * 0.75)))
    lead, chord, span = draw(0.25, 0.5), draw(0.28, 0.5), draw(0.75, 1.3)
    place = draw.pick(-0.75, -0.75, 0.9, 1.5)
    y, rise, taper = place * r, draw(0, 0.15), draw(0.4, 1.0)
    end = lead - chord * (1 - taper) * draw(0, 0.7)
    edges = (lead, end), (lead - chord, end - chord * taper)
    solids += _wing((0, span), (y, y + rise), *edges, draw(0.025, 0.075))
    if place > 0:
        z = span * draw(0.35, 0.6)
        strut = rod(
            (lead - chord / 2, -r * 0.7, 0), (lead - chord / 2, y + rise * z / span, z), 0.012
        )
        solids += mirror(strut)
        solids.append(box((lead - chord, lead), (0, y), around(0, r * 0.5)))
    if draw.chance(0.3):
        for z in (0.32, 0.6)[: draw.count(1, 2)]:
            x, high, size = lead, y + rise * z, draw(0.04, 0.07)
            nacelle = cylinder(0, (high, z * span), size, (x - chord * 0.7, x + 0.12))
            solids += mirror(nacelle, *_propeller(draw, x + 0.14, high, z * span))
    else:
        solids += _propeller(draw, 0.98)
    gear, low = draw.pick("none", "none", "wheels", "wheels", "floats"), -r - draw(0.06, 0.18)
    if gear == "floats":
        x, z = lead - chord / 2, r + draw(0.1, 0.25)
        solids += mirror(
            ellipsoid((x, low, z), (draw(0.35, 0.6), 0.05, 0.05)),
            *(rod((x + d, low, z), (x + d, 0, 0), 0.015) for d in (-0.15, 0.15)),
        )
    if gear == "wheels":
        solids += _gear(draw, low, r + draw(0, 0.2), (lead - 0.1, draw.pick(-0.8, 0.75)), r * 0.2)
    tail = draw.pick("low", "low", "low", "T", "twin", "cross")
    return solids + _tail(draw, tail, -0.98, r * 0.35, draw(0.16, 0.3))


def _biplane(draw):
    """Return two or three wings above each other, on a fuselage or on an open frame."""
    r, front, rear = draw(0.07, 0.14), draw(0.35, 0.65), -draw(0.55, 0.9)
    frame = draw.chance(0.15)
    span, chord, gap = draw(0.75, 1.15), draw(0.28, 0.5), draw(0.18, 0.38)
    count = draw.pick(2, 2, 2, 2, 3)
    low, lead, stagger = -r * draw(0.3, 1.2), front - draw(0.05, 0.25), draw(0, 0.12)
    sweep, thick, solids = draw.pick(0, draw(0, 0.2)), draw(0.025, 0.065), []
    for i in range(count):
        x, y, reach = lead + stagger * i, low + gap * i, span * (draw(0.75, 1.0) if i == 0 else 1)
        edges = (x, x - sweep * reach), (x - chord, x - sweep * reach - chord * draw(0.8, 1.0))
        solids += _wing((0, reach), (y, y + draw(0, 0.03)), *edges, thick)
    top, back = low + gap * (count - 1), stagger * (count - 1)
    posts = draw.pick((0.65,), (0.65,), (0.4, 0.72), (0.2, 0.45, 0.7)) if not frame else (0.3, 0.68)
    for z in (0.12 / span, *posts):
        for x in (lead - chord * 0.2, lead - chord * 0.75):
            x -= sweep * z * span
            solids += mirror(rod((x, low, z * span), (x + back, top, z * span), 0.02))
    if frame:
        boom = lambda x, y: rod((lead - chord / 2, y, 0.1), (x, y * 0.6, 0.1), 0.014)
        solids += mirror(boom(rear, low), boom(rear, top), boom(front + 0.3, low))
        half = draw(0.25, 0.45)
        ends = (front + 0.35, front + 0.35), (front + 0.2, front + 0.2)
        solids += _wing((0, half), (low * 0.6, low * 0.6), *ends, thick)
        solids += mirror(
            box((rear - 0.05, rear + 0.1), (low * 0.6, top * 0.6 + 0.02), (0.09, 0.11))
        )
        return solids
    solids += _fuselage(
        (rear, r * 0.3, r * 0.3, r * 0.2),
        (0, 0, r, r * 0.9),
        (front - 0.1, 0, r, r),
        (front, 0, r * 0.7, r * 0.7),
    )
    solids += _propeller(draw, front)
    if draw.chance(0.7):
        wheels = lead - chord * 0.3, rear + 0.1
        solids += _gear(draw, low - draw(0.1, 0.2), draw(0.1, 0.18), wheels, r * 0.2)
    return solids + _tail(draw, "low", rear, r * 0.3, draw(0.14, 0.25))


def _glider(draw):
    """Return a slender body with long straight wings: a glider or a drone."""
    r, nose, tail = draw(0.04, 0.09), draw(0.35, 0.6), -draw(0.4, 0.7)
    span, chord, thick = draw(0.8, 1.1), draw(0.14, 0.3), draw(0.025, 0.06)
    solids = _fuselage(
        (tail, r * 0.3, r * 0.3, r * 0.25),
        (draw(-0.2, 0.0), 0, r, r),
        (nose - 0.15, 0, r, r),
        (nose, 0, r * 0.3, r * 0.3),
    )
    lead, sweep, y = draw(0, 0.2), draw(-0.05, 0.25), draw(-0.5, 0.9) * r
    edges = (lead, lead - sweep), (lead - chord, lead - sweep - chord * draw(0.35, 1.0))
    rise = draw(-0.03, 0.15)
    solids += _wing((0, span), (y, y + rise), *edges, thick)
    if draw.chance(0.3):  # tanks or pods at the tips
        x = lead - sweep
        solids += mirror(rod((x - chord, y + rise, span), (x + 0.05, y + rise, span), 0.025))
    if draw.chance(0.25):
        solids += _propeller(draw, draw.pick(nose, tail))
    kind = draw.pick("low", "T", "T", "V")
    return solids + _tail(draw, kind, tail, r * 0.3, draw(0.1, 0.18))


def _flying_wing(draw):
    """Return a wing without a tail, with a low body and perhaps small fins."""
    span, chord, sweep, thick = draw(0.8, 1.1), draw(0.35, 0.8), draw(0.3, 0.9), draw(0.02, 0.05)
    inner = span * draw(0.2, 0.5)
    lead, trail = chord * 0.6, -chord * 0.4
    knee = lead - sweep * inner
    tip = lead - sweep * span
    notch = min(trail - draw(-0.1, 0.35) * inner, knee - 0.12)
    outer = min(notch - sweep * (span - inner) * draw(0.5, 1.0), tip - 0.06)
    rise = draw(-0.02, 0.12)
    solids = _wing((0, inner), (0, 0), (lead, knee), (trail, notch), thick * 1.5)
    solids += _wing((inner, span), (0, rise), (knee, tip), (notch, outer), thick)
    long, high = chord * draw(0.35, 0.6), draw(0.04, 0.1)
    solids.append(ellipsoid(((lead + trail) / 2, 0, 0), (long, high, draw(0.06, 0.16))))
    if draw.chance(0.35):
        z, up = draw(0.3, 0.95) * span, draw(0.1, 0.25)
        x = lead - sweep * z
        solids += mirror(_fin((0, rise + up), (x - 0.05, x - 0.12), (x - 0.22, x - 0.25), (z, z)))
    return solids


def _twin_boom(draw):
    """Return two booms that carry the tail, and a short body between them."""
    apart, size, tail = draw(0.2, 0.4), draw(0.035, 0.09), -draw(0.65, 0.95)
    lead, chord, span = draw(0.15, 0.3), draw(0.22, 0.4), draw(0.75, 1.1)
    nose, r = draw(0.3, 0.65), draw(0.06, 0.12)
    edges = (lead, lead - chord * 0.3), (lead - chord, lead - chord * draw(0.7, 1.0))
    solids = _wing((0, span), (0, draw(0, 0.1)), *edges, draw(0.015, 0.03))
    solids.append(ellipsoid((nose - 0.4, 0, 0), (0.4, r, r)))
    front = lead + draw(0, 0.35)
    solids += mirror(
        loft(0, (tail, front), (0, apart, size * 0.4, size * 0.4), (0, apart, size, size), "round"),
        _fin(
            (-0.1 * apart, draw(0.14, 0.3)), (tail + 0.22, tail + 0.12), (tail, tail), (apart,) * 2
        ),
    )
    solids += _wing((0, apart), (0, 0), (tail + 0.17, tail + 0.17), (tail + 0.02,) * 2, 0.016)
    if draw.chance(0.6):
        solids += mirror(*_propeller(draw, front, 0, apart))
    if draw.chance(0.4):
        solids += _gear(draw, -r - draw(0.05, 0.15), apart, (lead - 0.1, nose - 0.3))
    return solids


def airplane(draw: Draw) -> list[Solid]:
    """Return an airliner, fighter, propeller plane, biplane, glider, flying wing or shuttle."""
    often = [*[_airliner] * 5, *[_fighter] * 8, *[_light] * 2, *[_biplane] * 3, _glider, _glider]
    return draw.pick(*often, _shuttle, _flying_wing, _twin_boom)(draw)
