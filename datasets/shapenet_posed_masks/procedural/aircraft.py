"""Airplanes, nose to +x."""

from .draw import Draw
from .solids import Solid, around, cylinder, ellipsoid, loft, mirror, rod

# (low, high) ranges of half the span, the sweep and half the root chord.
_AIRFRAMES = {
    "airliner": ((0.75, 1.2), (0.15, 0.75), (0.14, 0.26)),
    "light": ((0.7, 1.3), (-0.1, 0.12), (0.12, 0.24)),
    "fighter": ((0.4, 0.8), (0.3, 0.9), (0.2, 0.42)),
    "glider": ((1.2, 1.7), (-0.08, 0.1), (0.07, 0.14)),
    "delta": ((0.4, 0.85), (0.75, 1.2), (0.4, 0.65)),
    "biplane": ((0.6, 1.0), (-0.05, 0.08), (0.11, 0.2)),
    "flying wing": ((0.7, 1.5), (0.3, 0.9), (0.25, 0.5)),
}


def _wing(root, tip, thick):
    """Return a wing from its root to its tip, each (x, y, z, half chord)."""
    (x0, y0, z0, chord0), (x1, y1, z1, chord1) = root, tip
    return loft(2, (z0, z1), (x0, y0, chord0, thick), (x1, y1, chord1, thick * 0.7))


def airplane(draw: Draw) -> list[Solid]:
    """Return an airplane of one of `_AIRFRAMES`."""
    kind = draw.pick("airliner", *_AIRFRAMES)
    drawn = {name: [draw(*each) for each in ranges] for name, ranges in _AIRFRAMES.items()}
    span, sweep, chord = drawn[kind]
    radius, stretch = draw(0.07, 0.16), draw(0.8, 1.25)
    nose, tail = draw(0.75, 1.0), -draw(0.75, 1.0)
    if kind == "flying wing":
        nose, tail, radius = draw(0.2, 0.5), -draw(0.2, 0.5), draw(0.08, 0.14)
    spine = rod((nose - 0.06, 0, 0), (tail + 0.06, 0, 0), 0.02)  # holds fins and the propeller
    solids: list[Solid] = [
        spine,
        ellipsoid(((nose + tail) / 2, 0, 0), ((nose - tail) / 2, radius * stretch, radius)),
    ]
    if kind in ("airliner", "light", "biplane"):  # a tube with a nose and a rising tail
        front, rear = nose - draw(1.5, 3.5) * radius, tail * draw(0.3, 0.6)
        start = (radius * 0.6, 0, radius * 0.25, radius * 0.25)
        solids += [
            cylinder(0, (0, 0), radius, (rear, front)),
            loft(0, (tail, rear), start, (0, 0, radius, radius), "round"),
        ]
    if kind in ("fighter", "light", "glider", "biplane") or draw.chance(0.3):
        x = draw(0.1, 0.5) * nose
        solids.append(ellipsoid((x, radius * stretch, 0), (draw(0.12, 0.3), radius, radius * 0.7)))

    # Wings
    root_x, thick = draw(-0.1, 0.25), draw(0.015, 0.05)
    if kind == "delta":
        root_x -= 0.25
    if kind == "flying wing":
        root_x = 0.0
    height = draw.pick(-0.7, -0.7, 0.0, 0.95) * radius
    taper, dihedral = draw(0.2, 0.9), draw.pick(0, draw(-0.05, 0.2))
    if kind in ("delta", "fighter"):
        taper = draw(0.08, 0.4)
    tip = (root_x - sweep * span * 0.75, height + dihedral * span, span, chord * taper)
    if kind == "delta":
        tip = (root_x - chord * (1 - taper), height, span, chord * taper)
    solids += mirror(_wing((root_x, height, 0, chord), tip, thick))
    if kind == "biplane":
        gap = draw(0.25, 0.45)
        x, y, z = root_x + 0.05, height + gap, span * draw(0.5, 0.8)
        solids += mirror(
            _wing((x, y, 0, chord), (tip[0] + 0.05, tip[1] + gap, span, tip[3]), thick),
            rod((root_x, height, z), (x, y, z), 0.02),
            rod((root_x, 0, radius * 0.5), (x, y, 0.1), 0.02),
        )
    if draw.chance(0.25):  # winglets
        rise = draw(0.1, 0.25)
        solids += mirror(loft(1, (tip[1], tip[1] + rise), (tip[0], tip[2], tip[3], 0.02)))

    # Tail
    tail_kind = draw.pick("low", "low", "T", "V", "twin")
    if kind in ("flying wing", "delta"):
        tail_kind = draw.pick("none", "fin", "twin")
    base, fin, fin_chord = tail + draw(0.08, 0.14), draw(0.18, 0.42), draw(0.08, 0.18)
    lean = draw(0, 0.8) * fin
    fin_x = base + fin_chord * 0.5
    fin_end = lambda z, spread: (fin_x - lean, z + spread, fin_chord * 0.6, 0.02)
    fin_loft = lambda z, spread: loft(1, (0, fin), (fin_x, z, fin_chord, 0.02), fin_end(z, spread))
    plane_span, plane_y = draw(0.25, 0.5), draw(0, 0.5) * radius
    if tail_kind in ("low", "T", "fin"):
        solids.append(fin_loft(0, 0))
    if tail_kind == "twin":
        z = draw(0.4, 1.0) * plane_span
        solids += mirror(fin_loft(z, draw(-0.05, 0.15)))
        plane_y = 0.03
    if tail_kind == "V":
        solids += mirror(fin_loft(0.02, draw(0.15, 0.3)))
    if tail_kind in ("low", "T", "twin"):
        y, x = (fin - 0.02, fin_x - lean) if tail_kind == "T" else (plane_y, base)
        sweep = 0 if tail_kind == "twin" else draw(0, 0.4) * plane_span
        end = (x - sweep, y, plane_span, fin_chord * 0.5)
        solids += mirror(_wing((x, y, 0, fin_chord * 0.8), end, 0.02))
    if draw.chance(0.12):  # canards
        x = nose * 0.6
        solids += mirror(_wing((x, 0, 0, 0.07), (x - 0.1, 0, 0.3, 0.04), 0.02))

    # Engines
    size, length = draw(0.03, 0.075), draw(0.1, 0.25)
    where = draw.pick("wing", "wing", "rear", "nose", "none", "top")
    if kind == "flying wing":
        where = draw.pick("wing", "none")
    if where == "wing":
        for at in (0.35, 0.62)[: draw.count(1, 2)]:
            x, y = root_x + at * (tip[0] - root_x), height + at * (tip[1] - height)
            x += chord * (1 - at * (1 - taper)) * 0.8
            drop = draw(0, 1) * size
            solids += mirror(cylinder(0, (y - drop, at * span), size, around(x, length)))
    if where == "rear":
        x = tail * draw(0.4, 0.65)
        z = radius * 0.8 + size
        pylon = rod((x, 0, 0), (x, radius * 0.4, z), 0.02)
        solids += mirror(pylon, cylinder(0, (radius * 0.4, z), size, around(x, length)))
    if where == "nose":  # a propeller
        blade = draw(0.15, 0.3)
        disc = (0, 0, blade, 0.03) if draw.chance(0.5) else (0, 0, 0.03, blade)
        solids.append(loft(0, (nose - 0.06, nose), disc))
    if where == "top" and tail_kind != "none":
        x = tail * 0.6
        engine = cylinder(0, (radius * 1.2, 0), size * 1.2, around(x, length))
        solids += [rod((x, 0, 0), (x, radius * 1.2, 0), 0.02), engine]
    gear = draw.pick("none", "none", "wheels", "floats")
    low = -radius - draw(0.06, 0.18)
    if gear == "floats":
        x, z = root_x + 0.05, radius + draw(0.1, 0.25)
        solids += mirror(
            ellipsoid((x, low, z), (draw(0.35, 0.6), 0.06, 0.06)),
            rod((x, low, z), (x, 0, 0), 0.02),
        )
    if gear == "wheels" and kind != "glider":
        z = radius + draw(0, 0.2)
        solids += mirror(
            rod((root_x, low, z), (root_x, height, 0), 0.02),
            cylinder(2, (root_x, low), 0.06, (z - 0.02, z + 0.03)),
        )
        solids.append(rod((nose * 0.7, low, 0), (nose * 0.7, 0, 0), 0.025))
    return solids
