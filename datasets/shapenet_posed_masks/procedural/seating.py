"""Sofas and benches: each function draws one object as a list of solids, front to +x."""

from .backs import arc, backrest
from .draw import Draw
from .solids import Solid, around, box, cylinder, ellipsoid, loft, mirror, on_side, prism, rod, slab
from .supports import support


def sofa(draw: Draw) -> list[Solid]:
    """Return a straight, corner, U-shaped or curved sofa, a daybed or a chaise longue."""
    hx, hz, foot = draw(0.4, 0.6), draw(0.65, 1.6), draw.pick(0, draw(0.05, 0.25))
    seat = foot + draw(0.18, 0.45)
    high = seat + draw(0.15, 0.8)
    thick, arm = draw(0.08, 0.3), draw(0.08, 0.32)
    if draw.chance(0.12):  # curved
        outer, turn, hollow = (hz * draw(0.7, 1.2), hz), draw(0.2, 0.27), draw(0.3, 0.6)
        inner, rim = ([r * part for r in outer] for part in (hollow, 1 - thick / hz / 2))
        plan, back = arc(outer, inner, turn), arc(outer, rim, turn)
        return [prism(1, plan, (0, seat)), prism(1, back, (0, high))]
    solids = [box((-hx, hx), (foot, seat), (-hz, hz))]
    shape = draw.pick(*["straight"] * 6, "L", "L", "U", "ottoman")
    side, reach, width = draw.pick(-1, 1), hx + draw(0.4, 1.4), draw(0.5, 0.9)
    wings = [box((-hx, reach), (foot, seat), (hz - width, hz))]
    if shape in ("L", "U"):
        if not draw.chance(0.5):
            wings.append(box((-hx, reach), (foot, high), (hz - thick, hz)))
        if foot:
            post = around(reach - 0.08, 0.05), (0, foot + 0.03), around(hz - 0.08, 0.05)
            wings.append(box(*post))
        solids += mirror(*wings) if shape == "U" else on_side(side, *wings)
    if shape == "ottoman":
        z = draw(-0.3, 0.3) * hz
        solids.append(box((hx - 0.02, hx + draw(0.4, 0.8)), (0, seat * 0.8), around(z, 0.35)))

    # The back: one piece, rounded on top, humped, or loose cushions with gaps between them.
    tilt = draw.pick(0, draw(0.1, 0.5)) * (high - seat)
    base = -hx + thick / 2
    kind = draw.pick(*["plain"] * 3, "roll", "roll", "hump", "cushions", "cushions", "daybed")
    if kind in ("plain", "roll"):
        solids.append(slab((foot, high), (base, base - tilt), thick / 2, hz))
    if kind == "roll":
        solids.append(cylinder(2, (base - tilt, high), thick * 0.6, (-hz, hz)))
    if kind == "hump":
        wave = [(foot, -hz), (seat, -hz), (high, -hz * 0.4), (high, hz * 0.4), (seat, hz)]
        solids.append(prism(0, [*wave, (foot, hz)], (-hx, -hx + thick)))
    if kind == "cushions":
        count, gap = draw.count(2, 3), draw(0.06, 0.12)
        for z in (-hz + i * (2 * hz / count) for i in range(count)):
            span = (z + gap / 2, z + 2 * hz / count - gap / 2)
            solids.append(box((-hx, -hx + thick), (seat - 0.05, high), span))
    if kind == "daybed":  # a back over half the length
        span = (-hz, hz * draw(-0.3, 0.4)) if side > 0 else (hz * draw(-0.4, 0.3), hz)
        solids.append(box((-hx, -hx + thick), (foot, high), span))

    rise, ends = seat + draw(0.05, 1.0) * (high - seat), hx * draw(0.7, 1.0)
    arm_kind = draw.pick(*["box"] * 4, "roll", "roll", "slope", "slope", "single", "none")
    panel = box((-hx, ends), (foot, rise), around(hz, arm / 2))
    if arm_kind in ("box", "roll"):
        solids += mirror(panel)
    if arm_kind == "roll":
        solids += mirror(cylinder(0, (rise, hz), arm * 0.7, (-hx, ends)))
    if arm_kind == "slope":
        outline = [(-hx, foot), (ends, foot), (ends, seat), (-hx, max(rise, seat + 0.1))]
        solids += mirror(prism(2, outline, around(hz, arm / 2)))
    if arm_kind == "single":
        solids += on_side(-side, panel)
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


def bench(draw: Draw) -> list[Solid]:
    """Return a park bench, plain bench, stone slab, storage bench or picnic table."""
    special = draw(0, 1)
    if special < 0.1:
        return _picnic_bench(draw)
    hx, hz, height = draw(0.2, 0.45), draw(0.6, 1.6), draw(0.3, 0.65)
    thick = draw(0.03, 0.1)
    top = height + 2 * thick
    if special < 0.2:  # curved, without a back
        outer, turn, foot = (hz * draw(0.6, 1.0), hz), draw(0.17, 0.26), draw(0.5, 0.9)
        inner = [radius - 1.4 * hx for radius in outer]
        wall = [(1 - foot) * a + foot * b for a, b in zip(outer, inner, strict=True)]
        seat, base = arc(outer, inner, turn), arc(outer, wall, turn)
        return [prism(1, seat, (height, top)), prism(1, base, (0, top))]
    planks = draw.count(1, 3)
    each, gap = 2 * hx / planks, 0.0 if planks == 1 else draw(0.08, 0.14) * hx
    xs = [-hx + i * each for i in range(planks)]
    solids = [box((x + gap, x + each - gap), (height, top), (-hz, hz)) for x in xs]
    if planks > 1:  # battens, where the legs are, carry the planks
        solids += mirror(box((-hx, hx), (height, top - thick), (hz * 0.62, hz * 0.98)))
    kind = draw.pick("legs", "legs", "panels", "trestle", "sled", "block", "columns", "crossed")
    solids += support(kind, draw, hx, hz, height + thick)

    back = draw.pick("none", "rest", "rest", "rest", "planks")
    tilt, half = draw.pick(0, draw(0.1, 0.4)), draw(0.025, 0.06)
    high, x = top + draw(0.25, 0.9), -hx + half
    rear = x - tilt * (high - height)  # of the back's upper end
    if back == "rest":
        solids += backrest(draw, x, hz * draw(0.85, 1.0), height + thick, high, tilt, half)
    if back == "planks":
        start, end = ((at, hz * 0.75, half, 0.05) for at in (x, rear))
        solids += mirror(loft(1, (height, high), start, end))
        for y in (height + part * (high - height) for part in (0.5, 0.9)):
            at = x - tilt * (y - height) + 0.03
            solids.append(slab(around(y, 0.06), (at, at), half, hz))
    extra = draw.pick("none", "arms", "arms", "planter", "middle arm", "roof")
    rise = draw(0.18, 0.4)
    if extra in ("arms", "middle arm"):
        arm, front = top + rise, hx * 0.9
        for z in (hz - 0.05, -hz + 0.05, *([0.0] if extra == "middle arm" else [])):
            solids += [
                box((x, front), (arm - 0.06, arm), around(z, 0.04)),
                box((front - 0.08, front), (height, arm), around(z, 0.04)),
                box(around(x, half), (height, arm), around(z, 0.04)),
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
