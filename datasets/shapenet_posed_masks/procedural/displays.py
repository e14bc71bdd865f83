"""Displays, screen to +x."""

import itertools

from .draw import Draw
from .solids import (
    Solid,
    around,
    box,
    circle_points,
    cylinder,
    loft,
    mirror,
    on_side,
    prism,
    rod,
    slab,
    tube,
)


def _flat_screen(draw, thick, foot, half, hz):
    """Return a flat screen, which may lean, and may have a bezel, a bulging back or speakers."""
    middle, high = foot + half, foot + 2 * half
    tilt = draw.pick(0, 0, 0, draw(-0.1, 0.35)) * half
    solids = [slab((foot, high), (tilt, -tilt), thick, hz)]
    if draw.chance(0.6):  # a shallower case behind the screen
        back = thick + draw(0.02, 0.35) * hz
        large, small, drop = draw(0.7, 1.0), draw(0.35, 1.0), draw(-0.2, 0.05) * half
        rear = (middle + drop, 0, half * large * small, hz * large * small)
        solids.append(loft(0, (-back, 0), rear, (middle, 0, half * large, hz * large)))
    if not tilt and draw.chance(0.5):  # a bezel, perhaps with a hood
        front, rim = thick + draw(0.01, 0.05), draw(0.03, 0.12) * hz
        hood = front + draw.pick(*[0] * 7, draw(0.1, 0.4)) * hz
        solids += mirror(box((0, front), (foot, high), (hz - rim, hz)))
        solids.append(box((0, front), (foot, foot + rim * draw(0.8, 2.5)), (-hz, hz)))
        solids.append(box((0, hood), (high - rim, high), (-hz, hz)))
    if draw.chance(0.1):  # speakers to the left and right
        side = (hz - 0.02, hz + draw(0.1, 0.25))
        solids += mirror(box((-thick * 2, thick * 2), (foot, high), side))
    if draw.chance(0.1):  # or in a bar below
        low = foot - draw(0.03, 0.15) * half
        solids.append(box((-thick * 1.5, thick * 1.5), (low, foot + 0.02), (-hz * 0.9, hz * 0.9)))
    return solids


def _tube_screen(draw, thick, foot, half, hz):
    """Return a television or a monitor whose picture tube tapers to the back."""
    middle, deep, case = foot + half, draw(0.9, 1.9) * hz, draw(0.1, 0.6)
    back, drop = draw(0.45, 0.95), draw(-0.15, 0.02) * half
    waist = draw(0.85, 1.0)
    rear = (middle + drop, 0, half * back, hz * back)
    face = (middle, 0, half * waist, hz * waist)
    start = -deep * case
    solids = [
        box((start, thick), (foot, foot + 2 * half), (-hz, hz)),
        loft(0, (-deep, start + 0.01), rear, face),
    ]
    if draw.chance(0.3):  # the neck of the tube
        neck = half * back * draw(0.4, 0.8)
        stub = (middle + drop, 0, neck, neck)
        solids.append(loft(0, (-deep - draw(0.05, 0.3) * hz, -deep + 0.02), stub))
    return solids


def _curved_screen(sag, thick, middle, half, hz):
    """Return a screen whose sides come forward by `sag`."""
    bow = [(-sag * c, hz * s) for c, s in circle_points(9, -0.25, 0.5)]
    return [
        loft(2, (z0, z1), (x0, middle, thick, half), (x1, middle, thick, half))
        for (x0, z0), (x1, z1) in itertools.pairwise(bow)
    ]


def _laptop(draw, thick, half, hz):
    """Return an open laptop."""
    deep, base = draw(0.5, 0.8) * hz, draw(0.01, 0.05)
    lean, high = draw(-0.1, 0.8), 2 * half * draw(0.8, 1.0)
    lid = slab((0, high), (-deep + thick, -deep - lean * high), thick, hz)
    return [box((-deep, deep), (0, 2 * base), (-hz, hz)), lid]


def display(draw: Draw) -> list[Solid]:
    """Return a flat or curved monitor, a television, a tube monitor or an open laptop."""
    hz = draw(0.6, 1.0)
    shapes = [draw(0.54, 0.72), draw(0.62, 0.9), draw(0.35, 0.55), draw(0.85, 1.5)]
    half = hz * draw.pick(*shapes[:2] * 4, *shapes[2:])  # half the screen's height
    thick = hz * draw.pick(draw(0.015, 0.06), draw(0.04, 0.11))
    kind = draw.pick(*["flat"] * 11, *["tube"] * 4, "curved", "laptop", "dual")
    if kind == "laptop":
        return _laptop(draw, min(thick, 0.04), half, hz)
    foot = hz * draw.pick(draw(0.02, 0.25), draw(0.15, 0.6))
    stem_x = -thick * draw(0.2, 1.0)
    if kind == "curved":
        sag = hz * draw(0.1, 0.4)
        solids = _curved_screen(sag, thick, foot + half, half, hz)
        stem_x = -sag - thick * 0.9
    elif kind == "tube":
        foot, half = foot * 0.6, min(half * 1.1, hz)
        solids = _tube_screen(draw, thick, foot, half, hz)
        stem_x = -hz * draw(0.3, 0.7)
    elif kind == "dual":
        low, far = foot + draw(-0.3, 0.3) * half, hz + 2 * hz * draw(0.4, 1.0)
        pair = [
            box((-thick, thick), (foot, foot + 2 * half), (-hz, hz)),
            box((-thick, thick), (low, low + 2 * half), (hz - 0.02, far)),
        ]
        solids = on_side(draw.pick(-1, 1), *pair)
    else:
        solids = _flat_screen(draw, thick, foot, half, hz)
    return solids + _stand(draw, kind, stem_x, foot, half, hz)


def _stand(draw, kind, stem_x, foot, half, hz):
    """Return what carries a screen of height 2 · `half` above `foot`, around x = `stem_x`."""
    middle, solids = foot + half, []
    stands = [*["plate"] * 5, *["disc"] * 6, "wings", "wings", "arm"]
    if kind != "dual":  # a pair hangs from its first half alone
        stands += ["box", "ring", "wall", "wall"]
    if kind in ("flat", "tube"):  # a bent screen's edges are not above its middle
        stands += ["feet", "blades"]
    stand = draw.pick(*stands)
    neck = hz * draw.pick(draw(0.05, 0.15), draw(0.12, 0.4))
    deep, bar = hz * draw(0.2, 0.5), hz * draw(0.012, 0.06)
    if stand in ("plate", "disc", "ring", "wings"):
        reach, wide = stem_x - draw(0, 0.12) * hz, hz * draw(0.25, 0.7)
        pole, post = (reach, stem_x), hz * draw(0.02, 0.09)
        if draw.chance(0.3):
            solids.append(cylinder(1, (reach, 0), post, (0, middle)))
            solids.append(rod((reach, middle, 0), (stem_x, middle, 0), post))
        else:
            solids.append(slab((0, middle), pole, post, neck))
        centre = reach + draw(-0.1, 0.5) * deep
        if stand == "ring":
            x, half_bar = (reach - deep / 2, reach + deep), draw(0.02, 0.05)
            solids += mirror(box(x, (0, 2 * bar), (wide - 2 * half_bar, wide)))
            solids.append(box(around(reach, half_bar), (0, 2 * bar), (-wide, wide)))
        elif stand == "wings":  # two feet that spread to the front
            spread = [(reach - 0.03, 0), (reach + deep, wide), (reach + deep * 1.2, wide * 0.85)]
            solids += mirror(prism(1, [*spread, (reach + 0.06, 0)], (0, 2 * bar)))
            solids.append(box(around(reach, post + 0.03), (0, 2 * bar), around(0, neck)))
        else:
            section, part = ("box" if stand == "plate" else "round"), draw.pick(1, draw(0.5, 1.0))
            start, end = ((centre, 0, deep * size, wide * size) for size in (1, part))
            solids.append(loft(1, (0, 2 * bar), start, end, section))
            if draw.chance(0.3):  # a hub or a swivel
                part = draw(0.35, 0.7)
                hub = (reach, 0, deep * part, wide * part)
                solids.append(loft(1, (0, min(foot, 6 * bar) + 0.02), hub, section=section))
    if stand == "feet":
        z = hz * draw(0.3, 0.9)
        solids += mirror(
            box(around(stem_x, deep), (0, 2 * bar), around(z, bar)),
            box(around(stem_x, bar), (0, middle), around(z, bar)),
        )
    if stand == "blades":
        z = hz * draw(0.4, 0.9)
        top = (stem_x, foot + half * 0.2, z)
        solids += mirror(*(rod((stem_x + s * deep, bar, z), top, bar) for s in (-1, 1)))
    if stand == "box":  # a chest or a rack under the screen
        x, wide = hz * draw(0.15, 0.4), hz * draw(0.4, 1.1)
        chest = box(around(stem_x, x), (0, foot + 0.05), (-wide, wide))
        solids += [chest, box(around(stem_x, 0.04), (0, middle), (-neck, neck))]
    if stand == "arm":  # clamped to the desk's edge, off centre
        side = draw.pick(-1, 1) * hz * draw(0.0, 0.8)
        rear = stem_x - hz * draw(0.2, 0.6)
        solids += tube([(rear, bar, side), (rear, middle, side), (stem_x, middle, 0)], bar)
        solids.append(box(around(rear, 0.15), (0, 2 * bar), around(side, 0.15)))
    return solids
