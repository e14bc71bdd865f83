"""Sofas and benches: each function draws one object as a list of solids, front to +x."""

from .backs import arc, backrest
from .draw import Draw
from .solids import Solid, around, box, cylinder, ellipsoid, loft, mirror, on_side, prism, rod
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
        return [
            prism(1, arc(outer, inner, 14, turn), (0, seat)),
            prism(1, arc(outer, rim, 14, turn), (0, high)),
        ]
    solids = [box((-hx, hx), (foot, seat), (-hz, hz))]
    plan = draw.pick(*["straight"] * 6, "L", "L", "U", "ottoman")
    side, reach, width = draw.pick(-1, 1), hx + draw(0.4, 1.4), draw(0.5, 0.9)
    wing = box((-hx, reach), (foot, seat), (hz - width, hz))
    wing_back = box((-hx, reach), (foot, high), (hz - thick, hz))
    if plan in ("L", "U"):
        wings = [wing] if draw.chance(0.5) else [wing, wing_back]
        solids += mirror(*wings) if plan == "U" else on_side(side, *wings)
    if plan == "ottoman":
        z = draw(-0.3, 0.3) * hz
        solids.append(box((hx - 0.02, hx + draw(0.4, 0.8)), (0, seat * 0.8), around(z, 0.35)))

    # The back: one piece, rounded on top, humped, or loose cushions with gaps between them.
    tilt = draw.pick(0, draw(0.1, 0.5)) * (high - seat)
    base = -hx + thick / 2
    kind = draw.pick(*["plain"] * 3, "roll", "roll", "hump", "cushions", "cushions", "daybed")
    if kind in ("plain", "roll"):
        lean = (base - tilt, 0, thick / 2, hz)
        solids.append(loft(1, (foot, high), (base, 0, thick / 2, hz), lean))
    if kind == "roll":
        solids.append(cylinder(2, (base - tilt, high), thick * 0.6, (-hz, hz)))
    if kind == "hump":
        wave = [(foot, -hz), (seat, -hz), (high, -hz * 0.4), (high, hz * 0.4), (seat, hz)]
        solids.append(prism(0, [*wave, (foot, hz)], (-hx, -hx + thick)))
    if kind == "cushions":
        count = draw.count(2, 3)
        each, gap = 2 * hz / count, draw(0.06, 0.12)
        solids += [
            box((-hx, -hx + thick), (seat - 0.05, high), (z + gap / 2, z + each - gap / 2))
            for z in (-hz + i * each for i in range(count))
        ]
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
        if plan in ("L", "U"):
            x, z = reach - 0.08, hz - 0.08
            post = box(around(x, 0.05), (0, foot + 0.03), around(z, 0.05))
            solids += mirror(post) if plan == "U" else on_side(side, post)
    return solids


def _picnic_bench(draw):
    """Return a table with a bench on either side, in one frame."""
    hz, half, top = draw(0.6, 1.2), draw(0.28, 0.45), draw(0.65, 0.9)
    seat, out, thick = top * draw(0.5, 0.7), half + draw(0.3, 0.5), draw(0.03, 0.06)
    z = hz * draw(0.5, 0.85)
    seats = [box(around(s * out, 0.14), (seat, seat + 2 * thick), (-hz, hz)) for s in (-1, 1)]
    legs = mirror(
        *(
            loft(1, (0, top), (s * out * 0.85, z, 0.05, 0.05), (s * half * 0.5, z, 0.05, 0.05))
            for s in (-1, 1)
        )
    )
    beam = mirror(box((-out, out), (seat - 0.08, seat), around(z, 0.05)))
    return [box((-half, half), around(top, thick), (-hz, hz)), *seats, *legs, *beam]


def bench(draw: Draw) -> list[Solid]:
    """Return a park bench, plain bench, stone slab, storage bench or picnic table."""
    special = draw(0, 1)
    if special < 0.1:
        return _picnic_bench(draw)
    hx, hz, height = draw(0.2, 0.45), draw(0.6, 1.6), draw(0.3, 0.65)
    thick = draw(0.03, 0.1)
    top = height + 2 * thick
    if special < 0.2:  # curved, without a back
        outer, turn = (hz * draw(0.6, 1.0), hz), draw(0.17, 0.26)
        inner = (outer[0] - 1.4 * hx, outer[1] - 1.4 * hx)
        foot = draw(0.5, 0.9)
        wall = ((1 - foot) * outer[0] + foot * inner[0], (1 - foot) * outer[1] + foot * inner[1])
        return [
            prism(1, arc(outer, inner, 14, turn), (height, top)),
            prism(1, arc(outer, wall, 14, turn), (0, top)),
        ]
    planks = draw.count(1, 3)
    each, gap = 2 * hx / planks, 0.0 if planks == 1 else draw(0.08, 0.14) * hx
    solids = [
        box((x + gap, x + each - gap), (height, top), (-hz, hz))
        for x in (-hx + i * each for i in range(planks))
    ]
    if planks > 1:  # battens, where the legs are, carry the planks
        solids += mirror(box((-hx, hx), (height, top - thick), (hz * 0.62, hz * 0.98)))
    kind = draw.pick("legs", "legs", "panels", "trestle", "sled", "block", "columns", "crossed")
    solids += support(kind, draw, hx, hz, height + thick)

    back = draw.pick("none", "rest", "rest", "rest", "planks")
    tilt, half = draw.pick(0, draw(0.1, 0.4)), draw(0.025, 0.06)
    high, x = top + draw(0.25, 0.9), -hx + half
    if back == "rest":
        solids += backrest(draw, x, hz * draw(0.85, 1.0), height + thick, high, tilt, half)
    if back == "planks":
        end = (x - tilt * (high - height), hz * 0.75, half, 0.05)
        solids += mirror(loft(1, (height, high), (x, hz * 0.75, half, 0.05), end))
        for at in (0.5, 0.9):
            y = height + at * (high - height)
            lean = (x - tilt * (y - height) + 0.03, 0, half, hz)
            solids.append(loft(1, around(y, 0.06), lean))
    extra = draw.pick("none", "arms", "arms", "planter", "middle arm", "roof")
    rise = draw(0.18, 0.4)
    if extra in ("arms", "middle arm"):
        zs = (hz - 0.05, -hz + 0.05) + ((0.0,) if extra == "middle arm" else ())
        for z in zs:
            front = hx * 0.9
            bar = box((x, front), (top + rise - 0.06, top + rise), around(z, 0.04))
            post = box((front - 0.08, front), (height, top + rise), around(z, 0.04))
            rear = box(around(x, half), (height, top + rise), around(z, 0.04))
            solids += [bar, post, rear]
    if extra == "planter":  # a tub of flowers at one end
        side, width = draw.pick(-1, 1), draw(0.25, 0.45)
        tub = box((-hx, hx), (0, top + draw(0, 0.3)), (hz - 0.02, hz + 2 * width))
        bush = ellipsoid((0, top + 0.25, hz + width), (hx * 0.8, 0.35, width * 0.8))
        solids += on_side(side, tub, bush)
    if extra == "roof" and back != "none":  # a bus shelter or a swing
        roof = high + draw(0.3, 0.9)
        start = (x - tilt * (high - height), roof, 0)
        solids += mirror(rod((x, height, hz * 0.9), (start[0], roof, hz * 0.9), 0.04))
        solids.append(box((start[0] - 0.05, hx * draw(0.5, 1.2)), (roof, roof + 0.08), (-hz, hz)))
    return solids
