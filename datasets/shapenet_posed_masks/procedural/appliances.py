"""Displays and lamps: each function draws one object, front to +x."""

import itertools

from .draw import Draw
from .solids import Capsule, Ellipsoid, Solid, box, circle_points, cylinder, loft, mirror, tube


def display(draw: Draw) -> list[Solid]:
    """Return a flat or curved monitor, a television, a tube monitor or an open laptop."""
    hz = draw(0.45, 1.0)
    half = hz * draw.pick(1, 1, 1, 1.9) * draw(0.4, 0.8)  # half the screen's height
    thick = draw(0.02, 0.09)
    kind = draw.pick(*["flat"] * 5, "curved", "tube", "tube", "laptop", "dual")
    if kind == "laptop":
        deep, base = draw(0.5, 0.8) * hz, draw(0.02, 0.06)
        lean, high = draw(-0.1, 0.8), 2 * half * draw(0.7, 1.0)
        end = (-deep - lean * high, 0, thick, hz)
        return [
            box((-deep, deep), (0, 2 * base), (-hz, hz)),
            loft(1, (0, high), (-deep + thick, 0, thick, hz), end),
        ]
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
        face = (middle, 0, half, hz)
        solids = [
            box((-thick, deep * 0.3), (foot, foot + 2 * half), (-hz, hz)),
            loft(0, (-deep, 0), (middle - half * 0.1, 0, half * back, hz * back), face),
        ]
        stem_x = -deep * 0.35
    elif kind == "dual":
        offset = draw(-0.3, 0.3) * half
        pair = [
            panel,
            box(
                (-thick, thick),
                (foot + offset, foot + offset + 2 * half),
                (hz - 0.02, hz + 2 * hz * draw(0.4, 1.0)),
            ),
        ]
        solids = pair if draw.chance(0.5) else [p.mirrored() for p in pair]
        stem_x = -thick
    else:
        tilt = draw.pick(0, draw(-0.1, 0.3)) * half
        solids = [loft(1, (foot, foot + 2 * half), (tilt, 0, thick, hz), (-tilt, 0, thick, hz))]
        if draw.chance(0.4):  # a shallower case behind the screen
            case = draw(0.05, 0.3)
            solids.append(
                loft(
                    0,
                    (-thick - case, 0),
                    (middle, 0, half * 0.5, hz * 0.5),
                    (middle, 0, half * 0.85, hz * 0.85),
                )
            )
        if draw.chance(0.2):  # speakers to the left and right
            wide = draw(0.1, 0.25)
            solids += mirror(
                box((-thick * 2, thick * 2), (foot, foot + 2 * half), (hz - 0.02, hz + wide))
            )
        stem_x = -thick * 0.5

    stands = ["plate", "plate", "disc", "arm"]
    if kind != "dual":  # a pair hangs from its first half alone
        stands += ["box", "ring", "wall"]
    if kind in ("flat", "tube"):  # a bent screen's edges are not above its middle
        stands += ["feet", "blades"]
    stand = draw.pick(*stands)
    neck, deep = hz * draw(0.06, 0.3), draw(0.15, 0.6)
    bar = draw(0.025, 0.05)
    if stand in ("plate", "disc", "ring"):
        reach = stem_x - draw(0, 0.15)
        end = (stem_x, 0, 0.04, neck)
        solids.append(loft(1, (0, middle), (reach, 0, 0.04, neck), end))
        wide = hz * draw(0.3, 0.9)
        if stand == "ring":
            runner = box((reach - deep / 2, reach + deep), (0, 2 * bar), (wide - 0.06, wide))
            solids += mirror(runner)
            solids.append(box((reach - 0.06, reach + 0.06), (0, 2 * bar), (-wide, wide)))
        else:
            section = "box" if stand == "plate" else "round"
            plate = (stem_x + 0.05, 0, deep, wide)
            solids.append(loft(1, (0, 2 * bar), plate, section=section))
    if stand == "feet":
        z = hz * draw(0.3, 0.9)
        solids += mirror(
            box((stem_x - deep, stem_x + deep), (0, 2 * bar), (z - bar, z + bar)),
            box((stem_x - bar, stem_x + bar), (0, middle), (z - bar, z + bar)),
        )
    if stand == "blades":
        z = hz * draw(0.4, 0.9)
        top = (stem_x, foot + half * 0.2, z)
        solids += mirror(*(Capsule((stem_x + s * deep, bar, z), top, bar) for s in (-1, 1)))
    if stand == "box":  # a chest or rack under the screen
        x, wide = draw(0.15, 0.5), hz * draw(0.5, 1.2)
        solids.append(box((stem_x - x, stem_x + x), (0, foot + 0.05), (-wide, wide)))
        solids.append(box((stem_x - 0.04, stem_x + 0.04), (0, middle), (-neck, neck)))
    if stand == "arm":  # clamped to the desk's edge, off centre
        side = draw.pick(-1, 1) * hz * draw(0.3, 0.9)
        rear = stem_x - draw(0.2, 0.6)
        solids += tube([(rear, bar, side), (rear, middle, side), (stem_x, middle, 0)], bar)
        solids.append(box((rear - 0.15, rear + 0.15), (0, 2 * bar), (side - 0.15, side + 0.15)))
    return solids


def _shade(draw, x, low, z=0.0, size=1.0):
    """Return a lamp shade whose lower rim is at (x, low, z)."""
    kind = draw.pick("cone", "cone", "drum", "globe", "bowl", "square", "bell")
    radius, high = size * draw(0.22, 0.5), size * draw(0.25, 0.7)
    if kind == "globe":
        return [Ellipsoid((x, low + radius, z), (radius, radius * draw(0.7, 1.3), radius))]
    if kind == "bell":
        return [
            cylinder(1, (x, z), radius, (low, low + high * 0.4), radius * 0.55),
            cylinder(1, (x, z), radius * 0.55, (low + high * 0.35, low + high), radius * 0.35),
        ]
    ends = {"cone": (1, draw(0.25, 0.8)), "drum": (1, 1), "bowl": (0.4, 1), "square": (1, 0.7)}
    bottom, top = (radius * r for r in ends[kind])
    section = "box" if kind == "square" else "round"
    start, end = (x, z, bottom, bottom), (x, z, top, top)
    return [loft(1, (low, low + high), start, end, section)]


def _lamp_base(draw, bar):
    """Return a lamp's foot around the origin."""
    kind = draw.pick("disc", "disc", "square", "cone", "tripod", "clamp")
    radius, high = draw(0.18, 0.42), draw(0.04, 0.14)
    if kind == "tripod":
        rise = draw(0.15, 0.6)
        return [
            Capsule((radius * c, bar, radius * s), (0, rise, 0), bar)
            for c, s in circle_points(3, 0.5)
        ] + [cylinder(1, (0, 0), bar, (rise * 0.5, rise + 0.1))]
    if kind == "square":
        return [box((-radius, radius), (0, high), (-radius, radius))]
    if kind == "clamp":
        return [box((-0.1, 0.1), (0, high * 3), (-0.1, 0.1))]
    top = radius if kind == "disc" else radius * 0.3
    return [cylinder(1, (0, 0), radius, (0, high if kind == "disc" else high * 3), top)]


def lamp(draw: Draw) -> list[Solid]:
    """Return a table, floor, desk, arc, pendant, wall or street lamp, lantern or chandelier."""
    kind = draw.pick(
        "table",
        "table",
        "floor",
        "desk",
        "arc",
        "pendant",
        "chandelier",
        "block",
        "street",
        "tree",
        "wall",
    )
    bar = draw(0.025, 0.06)
    if kind == "table":  # a vase that carries a shade
        high, belly = draw(0.3, 1.0), draw(0.06, 0.35)
        body = draw.pick("egg", "vase", "column", "stack")
        solids = [cylinder(1, (0, 0), bar, (0, high + 0.2)), *_lamp_base(draw, bar)]
        if body == "egg":
            solids.append(Ellipsoid((0, high / 2, 0), (belly, high / 2, belly)))
        if body == "vase":
            solids.append(cylinder(1, (0, 0), belly * 0.5, (0, high * 0.6), belly))
            solids.append(cylinder(1, (0, 0), belly, (high * 0.6, high), belly * 0.3))
        if body == "column":
            solids.append(cylinder(1, (0, 0), belly * 0.5, (0, high)))
        if body == "stack":
            radius = high / 6
            solids += [Ellipsoid((0, radius * (2 * i + 1), 0), (radius,) * 3) for i in range(3)]
        return solids + _shade(draw, 0, high, size=draw(0.7, 1.4))
    if kind == "floor":
        high = draw(1.3, 2.6)
        return [
            *tube([(0, 0, 0), (0, high + 0.15, 0)], bar),
            *_lamp_base(draw, bar),
            *_shade(draw, 0, high, size=draw(0.6, 1.3)),
        ]
    if kind == "desk":  # two arms with a joint, head to the front
        elbow, head = (draw(-0.9, -0.1), draw(0.5, 1.1)), (draw(0.2, 0.9), draw(0.5, 1.5))
        points = [(0, 0.05, 0), (*elbow, 0), (*head, 0)]
        size = draw(0.12, 0.25)
        drop = draw(0.15, 0.35)
        shade = loft(
            1,
            (head[1] - drop, head[1] + 0.05),
            (head[0] + drop * 0.4, 0, size, size),
            (*head[:1], 0, size * 0.4, size * 0.4),
            "round",
        )
        return [*tube(points, bar), *_lamp_base(draw, bar), shade]
    if kind == "arc":
        high, reach = draw(0.8, 1.8), draw(0.5, 1.5)
        bow = [(reach * (1 - c), high * (0.4 + 0.6 * s), 0) for c, s in circle_points(7, 0, 0.36)]
        drop = draw(0, 0.2)
        end = (bow[-1][0], bow[-1][1] - drop, 0)
        shade = _shade(draw, end[0], end[1] - 0.1, size=draw(0.5, 1.0))
        return [*tube([(0, 0, 0), *bow, end], bar), *_lamp_base(draw, bar), *shade]
    if kind == "pendant":
        cord, size = draw(0.3, 1.6), draw(0.8, 1.6)
        top = cylinder(1, (0, 0), draw(0.1, 0.3), (cord + 0.2, cord + 0.28))
        return [*tube([(0, 0.2, 0), (0, cord + 0.25, 0)], bar), top, *_shade(draw, 0, 0, 0, size)]
    if kind == "chandelier":
        count, turn, reach = draw.count(3, 7), draw.pick(0, 0.5), draw(0.4, 0.9)
        high, up = draw(0.4, 1.4), draw(-0.2, 0.25)
        solids = tube([(0, 0, 0), (0, high, 0)], bar)
        solids.append(cylinder(1, (0, 0), 0.15, (high - 0.05, high + 0.05)))
        cup, tall = draw(0.08, 0.2), draw(0.1, 0.35)
        for c, s in circle_points(count, turn):
            x, z = reach * c, reach * s
            solids.append(Capsule((0, 0, 0), (x, up, z), bar))
            solids.append(cylinder(1, (x, z), cup, (up, up + tall), cup * 0.7))
        return solids
    if kind == "block":  # a lantern, a paper lamp or a glowing ball
        wide, high = draw(0.25, 0.6), draw(0.4, 1.6)
        section = draw.pick("box", "round")
        lean = draw(0.6, 1.3)
        roof = wide * draw(1.0, 1.3)
        return [
            loft(1, (0, high), (0, 0, wide, wide), (0, 0, wide * lean, wide * lean), section),
            loft(1, (high, high + 0.25), (0, 0, roof, roof), (0, 0, bar, bar), section),
            loft(1, (0, 0.08), (0, 0, roof, roof), section=section),
        ]
    if kind == "street":
        high, reach, heads = draw(1.5, 3.0), draw(0.3, 1.2), draw.count(1, 2)
        solids = [*tube([(0, 0, 0), (0, high, 0)], bar * 1.5), *_lamp_base(draw, bar)]
        for side in (1, -1)[:heads]:
            tip = side * reach
            solids += tube([(0, high, 0), (tip, high + draw(-0.1, 0.3), 0)], bar)
            low = min(tip, tip - side * 0.5), max(tip, tip - side * 0.5)
            solids.append(box(low, (high - 0.1, high + 0.15), (-0.12, 0.12)))
        return solids
    if kind == "tree":  # one pole with several heads, on different sides
        high, heads = draw(1.2, 2.4), draw.count(2, 4)
        solids = [*tube([(0, 0, 0), (0, high, 0)], bar), *_lamp_base(draw, bar)]
        for i, (c, s) in enumerate(circle_points(heads, draw.count(0, 7) / 8)):
            y, reach = high * (1 - 0.15 * i), draw(0.25, 0.6)
            solids.append(Capsule((0, y, 0), (reach * c, y, reach * s), bar))
            solids += _shade(draw, reach * c, y - 0.1, reach * s, size=draw(0.35, 0.6))
        return solids
    # On a wall: a plate at −x, an arm and one or two shades.
    reach, plate, rise = draw(0.3, 0.9), draw(0.15, 0.45), draw(-0.2, 0.3)
    solids = [loft(0, (-0.08, 0), (0, 0, plate, plate * draw(0.4, 1.0)), section="round")]
    apart = draw.pick(0, draw(0.3, 0.6))
    size = draw(0.5, 1.0) if not apart else draw(0.4, 0.6)
    arms = [
        *tube([(-0.04, 0, 0), (reach, rise, apart)], bar),
        *_shade(draw, reach, rise - 0.05, apart, size),
    ]
    return solids + (mirror(*arms) if apart else arms)
