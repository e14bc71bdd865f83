"""Sofas and benches: each function draws one object as a list of solids, front to +x."""

from .backs import arc, backrest
from .draw import Draw
from .solids import (
    Solid,
    around,
    box,
    circle_points,
    cylinder,
    ellipsoid,
    loft,
    mirror,
    on_side,
    prism,
    rod,
    slab,
    tube,
)
from .supports import support


def _sofa_back(draw, hx, hz, foot, seat, high, thick, side):
    """Return a sofa's back: one piece, leaning, rounded, humped or of loose cushions."""
    base, tilt = -hx + thick / 2, draw.pick(0, draw(0.1, 0.5)) * (high - seat)
    kind = draw.pick(*["plain"] * 5, *["cushions"] * 3, "roll", "roll", "hump", "daybed")
    low = draw.pick(foot, foot, seat - 0.05)
    back = slab((low, high), (base, base - tilt), thick / 2, hz)
    rear = (-hx, -hx + thick)
    if kind == "roll":
        return [back, cylinder(2, (base - tilt, high), thick * draw(0.5, 0.65), (-hz, hz))]
    if kind == "hump":
        wave = [(seat + (high - seat) * s, hz * c) for c, s in circle_points(11, 0, 0.5)]
        return [prism(0, [(foot, hz), *wave, (foot, -hz)], rear)]
    if kind == "cushions":  # with gaps, before a lower back
        count, gap, wall = draw.count(2, 4), draw(0.02, 0.08), thick * draw(0.2, 0.5)
        each = 2 * hz / count
        front = (-hx + wall * 0.9, -hx + wall + thick)
        solids = [box((-hx, -hx + wall), (foot, high - draw(0, 0.7) * (high - seat)), (-hz, hz))]
        for z in (-hz + i * each for i in range(count)):
            solids.append(box(front, (seat - 0.05, high), (z + gap / 2, z + each - gap / 2)))
        return solids
    if kind == "daybed":  # a back over half the length
        span = (-hz, hz * draw(-0.3, 0.4)) if side > 0 else (hz * draw(-0.4, 0.3), hz)
        return [box(rear, (foot, high), span)]
    return [back]


def _sofa_arms(draw, hx, hz, foot, seat, high, arm, side):
    """Return a sofa's armrests: blocks, rolls, slopes, flared or a thin frame."""
    rise = seat + draw.pick(draw(0.1, 0.7), draw(0.3, 1.0)) * (high - seat)
    ends, low = hx * draw(0.75, 1.02), draw.pick(foot, foot, 0)
    kind = draw.pick(*["box"] * 6, *["roll", "flared", "slope", "none"] * 2, "frame", "single")
    panel = box((-hx, ends), (low, rise), around(hz, arm / 2))
    if kind == "roll":
        return mirror(panel, cylinder(0, (rise, hz), arm * 0.7, (-hx, ends)))
    if kind == "flared":
        start, out = ((ends - hx) / 2, hz, (ends + hx) / 2, arm / 2), draw(0.05, 0.25)
        return mirror(loft(1, (foot, rise), start, (start[0], hz + out, *start[2:])))
    if kind == "slope":
        outline = [(-hx, low), (ends, low), (ends, seat), (-hx, max(rise, seat + 0.1))]
        return mirror(prism(2, outline, around(hz, arm / 2)))
    if kind == "frame":
        bar = draw(0.02, 0.06)
        z = hz + bar
        top = max(rise, seat + 0.12)
        posts = [
            box(x, (0, top), around(z, bar)) for x in ((-hx, 2 * bar - hx), (hx - 2 * bar, hx))
        ]
        rails = [box((-hx, hx), around(y, bar), around(z, bar)) for y in (top, foot + bar)]
        return mirror(*posts, *rails)
    return {"box": mirror(panel), "single": on_side(-side, panel), "none": []}[kind]


def sofa(draw: Draw) -> list[Solid]:
    """Return a straight, corner, U-shaped or curved sofa, a daybed or a chaise longue."""
    hx, hz = draw(0.4, 0.6), draw.pick(draw(0.65, 0.95), *[draw(0.85, 1.25)] * 3, draw(1.1, 1.6))
    foot = draw.pick(0, 0, draw(0.03, 0.1), draw(0.05, 0.25))
    seat = foot + draw(0.22, 0.45)
    high = seat + draw(0.22, 0.62)
    thick, arm = draw(0.1, 0.32), draw.pick(draw(0.06, 0.2), draw(0.15, 0.38))
    if draw.chance(0.07):  # curved
        outer, turn, hollow = (hz * draw(0.7, 1.2), hz), draw(0.2, 0.27), draw(0.3, 0.6)
        inner, rim = ([r * part for r in outer] for part in (hollow, 1 - thick / hz / 2))
        plan, back = arc(outer, inner, turn), arc(outer, rim, turn)
        return [prism(1, plan, (0, seat)), prism(1, back, (0, high))]
    under = draw.pick(0, draw(0, 0.12))
    solids = [
        box((-hx, hx - under), (foot, seat), (-hz, hz)),
        box((-hx, hx), (foot + (seat - foot) * draw(0.3, 0.7), seat), (-hz, hz)),
    ]
    shape = draw.pick(*["straight"] * 9, "L", "L", "L", "U", "ottoman")
    side, reach, width = draw.pick(-1, 1), hx + draw(0.25, 0.95), draw(0.4, 0.8)
    if shape in ("L", "U"):
        wings = [box((-hx, reach), (foot, seat), (hz - width, hz))]
        if draw.chance(0.5):
            wings.append(box((-hx, reach), (foot, high), (hz - thick, hz)))
        if foot:
            ends = (hz - 0.08, hz - width + 0.08)
            wings += [
                box(around(reach - 0.08, 0.04), (0, foot + 0.03), around(z, 0.04)) for z in ends
            ]
        solids += mirror(*wings) if shape == "U" else on_side(side, *wings)
    if shape == "ottoman":
        z = draw(-0.3, 0.3) * hz
        solids.append(box((hx - 0.02, hx + draw(0.4, 0.8)), (0, seat * 0.8), around(z, 0.35)))
    solids += _sofa_back(draw, hx, hz, foot, seat, high, thick, side)
    solids += _sofa_arms(draw, hx, hz, foot, seat, high, arm, side)
    if draw.chance(0.25):  # scatter cushions
        size, x = draw(0.12, 0.22), -hx + thick + draw(0.0, 0.1)
        for _ in range(draw.count(1, 3)):
            z, span = draw(-0.9, 0.9) * (hz - size), (seat - 0.02, seat + 2 * size)
            solids.append(loft(1, span, (x + 0.1, z, 0.1, size), (x, z, 0.06, size * 0.9)))
    if foot:
        solids += support(draw.pick("legs", "legs", "block", "sled"), draw, hx, hz, foot + 0.03)
    return solids


def _picnic_bench(draw):
    """Return a table with a bench on either side, in one frame."""
    hz, half, top = draw(0.6, 1.2), draw(0.28, 0.45), draw(0.65, 0.9)
    seat, out, thick = top * draw(0.5, 0.7), half + draw(0.3, 0.5), draw(0.03, 0.06)
    z = hz * draw(0.5, 0.85)
    seats = [box(around(s * out, 0.14), (seat, seat + 2 * thick), (-hz, hz)) for s in (-1, 1)]
    ends = [((s * out * 0.85, z, 0.05, 0.05), (s * half * 0.5, z, 0.05, 0.05)) for s in (-1, 1)]
    beam = box((-out, out), (seat - 0.08, seat), around(z, 0.05))
    frame = mirror(beam, *(loft(1, (0, top), *leg) for leg in ends))
    return [box((-half, half), around(top, thick), (-hz, hz)), *seats, *frame]


def _park_bench(draw):
    """Return a bench of thin slats on two to four side frames, with or without arms and a back."""
    hx, hz, height = draw(0.2, 0.34), draw(0.6, 1.5), draw(0.36, 0.52)
    bar, slat = draw(0.018, 0.045), draw(0.012, 0.03)
    high, tilt = height + draw(0.35, 0.6), draw(0.05, 0.4)
    sag, rake, splay = draw(0, 0.06), draw(0, 0.15), draw(0, 0.1)
    foot_x = -hx - rake
    lean = lambda y: -hx - tilt * (y - height)
    zs = [hz * draw(0.7, 0.97), *draw.pick((), (), (0.0,))]
    backless = draw.chance(0.25)
    frame = [(hx + splay, bar), (hx, height), (0, height - sag), (-hx, height), (foot_x, bar)]
    solids = []
    for z in zs:
        side = tube([(x, y, z) for x, y in frame], bar)
        if not backless:
            side.append(rod((-hx, height, z), (lean(high), high, z), bar))
        solids += mirror(*side) if z else side
    if draw.chance(0.6) and not backless:
        arm, front = height + draw(0.18, 0.3), hx * draw(0.7, 1.1)
        curve = [(lean(arm), arm), (front * 0.6, arm), (front, arm - draw(0, 0.1)), (hx, height)]
        solids += mirror(*tube([(x, y, zs[0]) for x, y in curve], bar))
    if draw.chance(0.4):
        y = height * draw(0.15, 0.6)
        x = foot_x + rake * y / height
        solids.append(box(around(x, bar), around(y, bar), (-zs[0], zs[0])))
    count, gap = draw.count(2, 6), draw(0.1, 0.35)
    half = hx * (1 - gap) / count
    for i in range(count):
        x = -hx + (2 * i + 1) * hx / count
        y = height - sag * (1 - abs(x) / hx) + bar
        solids.append(box(around(x, half), around(y, slat), (-hz, hz)))
    if not backless:
        count, low = draw.count(1, 5), height + draw(0.05, 0.15)
        each = (high - low) / count
        upright = draw.chance(0.2)
        ys = [high - each * 0.4, low] if upright else [low + each * (i + 0.6) for i in range(count)]
        for y in ys:
            solids.append(slab(around(y, each * 0.36), (lean(y) + bar,) * 2, slat, hz))
        if upright:
            count = draw.count(4, 12)
            for z in (hz * (i + 0.5) / count for i in range(count)):
                start, end = ((lean(y) + bar, z, slat, slat * 1.5) for y in (low, high))
                solids += mirror(loft(1, (low, high), start, end))
    return solids


def bench(draw: Draw) -> list[Solid]:
    """Return a park bench, plain bench, stone slab, storage bench or picnic table."""
    special = draw(0, 1)
    if special < 0.05:
        return _picnic_bench(draw)
    if special > 0.6:
        return _park_bench(draw)
    hx, hz, height = draw(0.18, 0.4), draw(0.6, 1.6), draw(0.35, 0.6)
    thick = draw.pick(draw(0.015, 0.04), draw(0.03, 0.09))
    top = height + 2 * thick
    if special < 0.1:  # curved, without a back
        outer, turn, foot = (hz * draw(0.6, 1.0), hz), draw(0.17, 0.26), draw(0.5, 0.9)
        inner = [radius - 1.4 * hx for radius in outer]
        wall = [(1 - foot) * a + foot * b for a, b in zip(outer, inner, strict=True)]
        seat, base = arc(outer, inner, turn), arc(outer, wall, turn)
        return [prism(1, seat, (height, top)), prism(1, base, (0, top))]
    planks = draw.pick(1, 1, 2, 3, 4, 5)
    each, gap = 2 * hx / planks, 0.0 if planks == 1 else draw(0.08, 0.14) * hx
    xs = [-hx + i * each for i in range(planks)]
    solids = [box((x + gap, x + each - gap), (height, top), (-hz, hz)) for x in xs]
    if planks > 1:  # battens, where the legs are, carry the planks
        solids += mirror(box((-hx, hx), (height, top - thick), (hz * 0.62, hz * 0.98)))
    kind = draw.pick(*["legs", "panels", "trestle", "sled"] * 2, "block", "columns", "crossed")
    solids += support(kind, draw, hx, hz, height + thick)

    back = draw.pick("none", "none", "rest", "rest", "planks", "planks")
    tilt, half = draw.pick(0, draw(0.1, 0.4)), draw(0.015, 0.05)
    high, x = top + draw(0.3, 0.75), -hx + half
    rear = x - tilt * (high - height)  # of the back's upper end
    if back == "rest":
        solids += backrest(draw, x, hz * draw(0.85, 1.0), height + thick, high, tilt, half)
    if back == "planks":
        start, end = ((at, hz * 0.75, half, 0.03) for at in (x, rear))
        solids += mirror(loft(1, (height, high), start, end))
        count = draw.count(1, 4)
        each = (high - top) * draw(0.7, 0.9) / count
        for y in (high - (i + 0.4) * each for i in range(count)):
            at = x - tilt * (y - height) + half
            solids.append(slab(around(y, each * 0.38), (at, at), half, hz))
    extra = draw.pick(*["none"] * 4, *["arms"] * 4, "planter", "middle arm", "roof")
    rise = draw(0.18, 0.4)
    if extra in ("arms", "middle arm"):
        arm, front, bar = top + rise, hx * 0.9, draw(0.018, 0.05)
        for z in (hz - 0.05, -hz + 0.05, *([0.0] if extra == "middle arm" else [])):
            solids += [
                box((x, front), (arm - 2 * bar, arm), around(z, bar)),
                box((front - 2 * bar, front), (height, arm), around(z, bar)),
                box(around(x, half), (height, arm), around(z, bar)),
            ]
    if extra == "planter":  # a tub of flowers at one end
        side, width = draw.pick(-1, 1), draw(0.25, 0.45)
        tub = box((-hx, hx), (0, top + draw(0, 0.3)), (hz - 0.02, hz + 2 * width))
        bush = ellipsoid((0, top + 0.25, hz + width), (hx * 0.8, 0.35, width * 0.8))
        solids += on_side(side, tub, bush)
    if extra == "roof" and back != "none":  # a bus shelter or a swing
        roof = high + draw(0.3, 0.9)
        solids += mirror(rod((x, height, hz * 0.9), (rear, roof, hz * 0.9), 0.04))
        solids.append(box((rear - 0.05, hx * draw(0.5, 1.2)), (roof, roof + 0.08), (-hz, hz)))
    return solids
