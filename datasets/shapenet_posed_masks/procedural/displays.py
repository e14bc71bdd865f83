"""Displays, screen to +x."""

import itertools

from .draw import Draw
from .solids import Solid, around, box, circle_points, loft, mirror, on_side, rod, slab, tube


def display(draw: Draw) -> list[Solid]:
    """Return a flat or curved monitor, a television, a tube monitor or an open laptop."""
    hz = draw(0.45, 1.0)
    half = hz * draw.pick(1, 1, 1, 1.9) * draw(0.4, 0.8)  # half the screen's height
    thick = draw(0.02, 0.09)
    kind = draw.pick(*["flat"] * 5, "curved", "tube", "tube", "laptop", "dual")
    if kind == "laptop":
        deep, base = draw(0.5, 0.8) * hz, draw(0.02, 0.06)
        lean, high = draw(-0.1, 0.8), 2 * half * draw(0.7, 1.0)
        lid = slab((0, high), (-deep + thick, -deep - lean * high), thick, hz)
        return [box((-deep, deep), (0, 2 * base), (-hz, hz)), lid]
    foot = draw(0.03, 0.6)
    middle = foot + half
    panel = box((-thick, thick), (foot, foot + 2 * half), (-hz, hz))
    if kind == "curved":
        sag = hz * draw(0.15, 0.5)
        bow = [(-sag * c, hz * s) for c, s in circle_points(9, -0.25, 0.5)]
        solids = [
            loft(2, (z0, z1), (x0, middle, thick, half), (x1, middle, thick, half))
            for (x0, z0), (x1, z1) in itertools.pairwise(bow)
        ]
        stem_x = -sag - thick
    elif kind == "tube":
        deep, back = draw(0.5, 1.4) * hz, draw(0.3, 0.7)
        rear, face = (middle - half * 0.1, 0, half * back, hz * back), (middle, 0, half, hz)
        case = box((-thick, deep * 0.3), (foot, foot + 2 * half), (-hz, hz))
        solids = [case, loft(0, (-deep, 0), rear, face)]
        stem_x = -deep * 0.35
    elif kind == "dual":
        offset = draw(-0.3, 0.3) * half
        low, far = foot + offset, hz + 2 * hz * draw(0.4, 1.0)
        pair = [panel, box((-thick, thick), (low, low + 2 * half), (hz - 0.02, far))]
        solids = on_side(1 if draw.chance(0.5) else -1, *pair)
        stem_x = -thick
    else:
        tilt = draw.pick(0, draw(-0.1, 0.3)) * half
        solids = [slab((foot, foot + 2 * half), (tilt, -tilt), thick, hz)]
        if draw.chance(0.4):  # a shallower case behind the screen
            small, large = ((middle, 0, half * part, hz * part) for part in (0.5, 0.85))
            solids.append(loft(0, (-thick - draw(0.05, 0.3), 0), small, large))
        if draw.chance(0.2):  # speakers to the left and right
            side = (hz - 0.02, hz + draw(0.1, 0.25))
            solids += mirror(box((-thick * 2, thick * 2), (foot, foot + 2 * half), side))
        stem_x = -thick * 0.5
    return solids + _stand(draw, kind, stem_x, foot, half, hz)


def _stand(draw, kind, stem_x, foot, half, hz):
    """Return what carries a screen of height 2 · `half` above `foot`, around x = `stem_x`."""
    middle, solids = foot + half, []
    stands = ["plate", "plate", "disc", "arm"]
    if kind != "dual":  # a pair hangs from its first half alone
        stands += ["box", "ring", "wall"]
    if kind in ("flat", "tube"):  # a bent screen's edges are not above its middle
        stands += ["feet", "blades"]
    stand = draw.pick(*stands)
    neck, deep, bar = hz * draw(0.06, 0.3), draw(0.15, 0.6), draw(0.025, 0.05)
    if stand in ("plate", "disc", "ring"):
        reach, wide = stem_x - draw(0, 0.15), hz * draw(0.3, 0.9)
        solids.append(slab((0, middle), (reach, stem_x), 0.04, neck))
        if stand == "ring":
            x = (reach - deep / 2, reach + deep)
            solids += mirror(box(x, (0, 2 * bar), (wide - 0.06, wide)))
            solids.append(box(around(reach, 0.06), (0, 2 * bar), (-wide, wide)))
        else:
            section = "box" if stand == "plate" else "round"
            solids.append(loft(1, (0, 2 * bar), (stem_x + 0.05, 0, deep, wide), section=section))
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
    if stand == "box":  # a chest or rack under the screen
        x, wide = draw(0.15, 0.5), hz * draw(0.5, 1.2)
        chest = box(around(stem_x, x), (0, foot + 0.05), (-wide, wide))
        solids += [chest, box(around(stem_x, 0.04), (0, middle), (-neck, neck))]
    if stand == "arm":  # clamped to the desk's edge, off centre
        side = draw.pick(-1, 1) * hz * draw(0.3, 0.9)
        rear = stem_x - draw(0.2, 0.6)
        solids += tube([(rear, bar, side), (rear, middle, side), (stem_x, middle, 0)], bar)
        solids.append(box(around(rear, 0.15), (0, 2 * bar), around(side, 0.15)))
    return solids
