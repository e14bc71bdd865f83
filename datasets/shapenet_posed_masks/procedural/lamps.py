"""Lamps, front to +x."""

from .draw import Draw
from .solids import Solid, box, circle_points, cylinder, ellipsoid, loft, mirror, rod, tube


def _shade(draw, x, low, z=0.0, size=1.0):
    """Return a lamp shade whose lower rim is at (x, low, z)."""
    kind = draw.pick("cone", "cone", "drum", "globe", "bowl", "square", "bell")
    radius, high = size * draw(0.22, 0.5), size * draw(0.25, 0.7)
    if kind == "globe":
        return [ellipsoid((x, low + radius, z), (radius, radius * draw(0.7, 1.3), radius))]
    if kind == "bell":
        skirt = cylinder(1, (x, z), radius, (low, low + high * 0.4), radius * 0.55)
        crown = (low + high * 0.35, low + high)
        return [skirt, cylinder(1, (x, z), radius * 0.55, crown, radius * 0.35)]
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
        feet = [(radius * c, bar, radius * s) for c, s in circle_points(3, 0.5)]
        legs = [rod(foot, (0, rise, 0), bar) for foot in feet]
        return [*legs, cylinder(1, (0, 0), bar, (rise * 0.5, rise + 0.1))]
    if kind == "square":
        return [box((-radius, radius), (0, high), (-radius, radius))]
    if kind == "clamp":
        return [box((-0.1, 0.1), (0, high * 3), (-0.1, 0.1))]
    top = radius if kind == "disc" else radius * 0.3
    return [cylinder(1, (0, 0), radius, (0, high if kind == "disc" else high * 3), top)]


def _table_lamp(draw, bar):
    """Return a vase that carries a shade."""
    high, belly = draw(0.3, 1.0), draw(0.06, 0.35)
    body = draw.pick("egg", "vase", "column", "stack")
    solids = [cylinder(1, (0, 0), bar, (0, high + 0.2)), *_lamp_base(draw, bar)]
    if body == "egg":
        solids.append(ellipsoid((0, high / 2, 0), (belly, high / 2, belly)))
    if body == "vase":
        solids.append(cylinder(1, (0, 0), belly * 0.5, (0, high * 0.6), belly))
        solids.append(cylinder(1, (0, 0), belly, (high * 0.6, high), belly * 0.3))
    if body == "column":
        solids.append(cylinder(1, (0, 0), belly * 0.5, (0, high)))
    if body == "stack":
        solids += [ellipsoid((0, high / 6 * i, 0), (high / 6,) * 3) for i in (1, 3, 5)]
    return solids + _shade(draw, 0, high, size=draw(0.7, 1.4))


def _floor_lamp(draw, bar):
    high = draw(1.3, 2.6)
    pole = rod((0, 0, 0), (0, high + 0.15, 0), bar)
    return [pole, *_lamp_base(draw, bar), *_shade(draw, 0, high, size=draw(0.6, 1.3))]


def _desk_lamp(draw, bar):
    """Return two arms with a joint, head to the front."""
    elbow, head = (draw(-0.9, -0.1), draw(0.5, 1.1)), (draw(0.2, 0.9), draw(0.5, 1.5))
    points = [(0, 0.05, 0), (*elbow, 0), (*head, 0)]
    size, drop = draw(0.12, 0.25), draw(0.15, 0.35)
    rim, top = (head[0] + drop * 0.4, 0, size, size), (head[0], 0, size * 0.4, size * 0.4)
    shade = loft(1, (head[1] - drop, head[1] + 0.05), rim, top, "round")
    return [*tube(points, bar), *_lamp_base(draw, bar), shade]


def _arc_lamp(draw, bar):
    high, reach = draw(0.8, 1.8), draw(0.5, 1.5)
    bow = [(reach * (1 - c), high * (0.4 + 0.6 * s), 0) for c, s in circle_points(7, 0, 0.36)]
    end = (bow[-1][0], bow[-1][1] - draw(0, 0.2), 0)
    shade = _shade(draw, end[0], end[1] - 0.1, size=draw(0.5, 1.0))
    return [*tube([(0, 0, 0), *bow, end], bar), *_lamp_base(draw, bar), *shade]


def _pendant(draw, bar):
    cord, size = draw(0.3, 1.6), draw(0.8, 1.6)
    top = cylinder(1, (0, 0), draw(0.1, 0.3), (cord + 0.2, cord + 0.28))
    return [rod((0, 0.2, 0), (0, cord + 0.25, 0), bar), top, *_shade(draw, 0, 0, 0, size)]


def _chandelier(draw, bar):
    count, turn, reach = draw.count(3, 7), draw.pick(0, 0.5), draw(0.4, 0.9)
    high, up = draw(0.4, 1.4), draw(-0.2, 0.25)
    top = cylinder(1, (0, 0), 0.15, (high - 0.05, high + 0.05))
    solids = [rod((0, 0, 0), (0, high, 0), bar), top]
    cup, tall = draw(0.08, 0.2), draw(0.1, 0.35)
    for x, z in ((reach * c, reach * s) for c, s in circle_points(count, turn)):
        solids.append(rod((0, 0, 0), (x, up, z), bar))
        solids.append(cylinder(1, (x, z), cup, (up, up + tall), cup * 0.7))
    return solids


def _lantern(draw, bar):
    """Return a lantern, a paper lamp or a glowing ball."""
    wide, high = draw(0.25, 0.6), draw(0.4, 1.6)
    section, lean = draw.pick("box", "round"), draw(0.6, 1.3)
    roof = wide * draw(1.0, 1.3)
    return [
        loft(1, (0, high), (0, 0, wide, wide), (0, 0, wide * lean, wide * lean), section),
        loft(1, (high, high + 0.25), (0, 0, roof, roof), (0, 0, bar, bar), section),
        loft(1, (0, 0.08), (0, 0, roof, roof), section=section),
    ]


def _street_lamp(draw, bar):
    high, reach, heads = draw(1.5, 3.0), draw(0.3, 1.2), draw.count(1, 2)
    solids = [rod((0, 0, 0), (0, high, 0), bar * 1.5), *_lamp_base(draw, bar)]
    for side in (1, -1)[:heads]:
        tip = side * reach
        solids.append(rod((0, high, 0), (tip, high + draw(-0.1, 0.3), 0), bar))
        head = (min(tip, tip - side * 0.5), max(tip, tip - side * 0.5))
        solids.append(box(head, (high - 0.1, high + 0.15), (-0.12, 0.12)))
    return solids


def _tree_lamp(draw, bar):
    """Return one pole with several heads, on different sides."""
    high, heads = draw(1.2, 2.4), draw.count(2, 4)
    solids = [rod((0, 0, 0), (0, high, 0), bar), *_lamp_base(draw, bar)]
    for i, (c, s) in enumerate(circle_points(heads, draw.count(0, 7) / 8)):
        y, reach = high * (1 - 0.15 * i), draw(0.25, 0.6)
        solids.append(rod((0, y, 0), (reach * c, y, reach * s), bar))
        solids += _shade(draw, reach * c, y - 0.1, reach * s, size=draw(0.35, 0.6))
    return solids


def _wall_lamp(draw, bar):
    """Return a plate at −x, an arm and one or two shades."""
    reach, plate, rise = draw(0.3, 0.9), draw(0.15, 0.45), draw(-0.2, 0.3)
    solids = [loft(0, (-0.08, 0), (0, 0, plate, plate * draw(0.4, 1.0)), section="round")]
    apart = draw.pick(0, draw(0.3, 0.6))
    size = draw(0.5, 1.0) if not apart else draw(0.4, 0.6)
    pole = rod((-0.04, 0, 0), (reach, rise, apart), bar)
    arms = [pole, *_shade(draw, reach, rise - 0.05, apart, size)]
    return solids + (mirror(*arms) if apart else arms)


def lamp(draw: Draw) -> list[Solid]:
    """Return a table, floor, desk, arc, pendant, wall or street lamp, lantern or chandelier."""
    kinds = [_table_lamp, _table_lamp, _floor_lamp, _desk_lamp, _arc_lamp, _pendant, _chandelier]
    kind = draw.pick(*kinds, _lantern, _street_lamp, _tree_lamp, _wall_lamp)
    return kind(draw, draw(0.025, 0.06))
