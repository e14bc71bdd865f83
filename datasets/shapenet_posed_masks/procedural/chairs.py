"""Chairs: each function draws one object as a list of solids, front to +x."""

from .backs import arc, backrest, band
from .draw import Draw
from .solids import Solid, around, box, loft, mirror, prism, rod, slab, tube
from .supports import support


def _arms(draw, hx, hz, seat, back):
    """Return arms on a seat whose top is at `seat`, reaching from x = `back` to the front."""
    kind = draw.pick(*["none"] * 5, *["post"] * 4, "panel", "panel", "tablet")
    thick, rise, front = draw(0.03, 0.08), draw(0.2, 0.5), hx * draw(0.4, 1.0)
    top, z = seat + rise, hz + draw(-0.03, 0.02)
    rail = box((back, front), (top - 2 * thick, top), around(z, thick))
    post = box((front - 2 * thick, front), (seat - 0.05, top), around(z, thick))
    panel = box((back, front), (seat - 0.1, top), around(z, thick))
    reach = (front - 0.5, min(front + 0.25, hx + 0.2))
    board = box(reach, around(top, thick), (z - 0.4, z + thick))
    return {
        "none": [],
        "post": mirror(rail, post),
        "panel": mirror(panel),
        "tablet": [rail, post, board],  # a lecture chair: writes on one side only
    }[kind]


def _tub_chair(draw):
    """Return a chair with a shell that runs around the seat."""
    hx, hz, thick = draw(0.4, 0.6), draw(0.4, 0.65), draw(0.06, 0.14)
    foot, seat = draw(0, 0.55), draw(0.1, 0.35)
    high, half_turn = foot + seat + draw(0.25, 1.1), draw(0.16, 0.32)
    shell = prism(1, arc((hx, hz), (hx - thick, hz - thick), half_turn), (foot, high))
    solids = [shell, loft(1, (foot, foot + seat), (0, 0, hx, hz), section="round")]
    if foot > 0.12:
        kind = draw.pick("legs", "pedestal", "star")
        solids += support(kind, draw, hx * 0.75, hz * 0.75, foot + 0.05)
    return solids


def _club_chair(draw):
    """Return an upholstered armchair, made of blocks."""
    hx, hz, foot = draw(0.42, 0.65), draw(0.45, 0.7), draw(0, 0.25)
    seat, arm = foot + draw(0.2, 0.4), draw(0.08, 0.22)
    high, rise, thick = seat + draw(0.25, 0.9), seat + draw(0.1, 0.4), draw(0.06, 0.16)
    tilt, rear = draw(0, 0.35), -hx + thick
    solids = mirror(box((-hx, hx * draw(0.6, 1.0)), (foot, rise), (hz - arm, hz + 0.02)))
    solids.append(box((-hx, hx), (foot, seat), (-hz, hz)))
    solids.append(slab((foot, high), (rear, rear - tilt * (high - seat)), thick, hz))
    if foot > 0.06:
        solids += support(draw.pick("legs", "block", "sled"), draw, hx, hz, foot + 0.03)
    return solids


def _lounge(draw):
    """Return a deck chair or lounger: seat and back are a slope, in a frame of crossed poles."""
    hz, half, pole = draw(0.28, 0.45), draw(0.025, 0.06), draw(0.025, 0.06)
    front, rear = draw(0.45, 0.8), -draw(0.3, 0.7)
    low, dip, high = draw(0.25, 0.5), draw(0.12, 0.3), draw(0.75, 1.3)
    bend, flare, foot = draw(-0.2, 0.1), draw(-0.1, 0.15), draw(0.2, 0.6)
    z = hz + pole
    solids = [
        band([(front, low), (bend, dip), (rear, high)], half, hz),
        *mirror(
            *tube([(front, low, z), (rear - 0.05, 0, z)], pole),
            *tube([(rear, high, z), (bend, dip, z), (foot + flare, 0, z)], pole),
            rod((bend, dip, z), (front, low, z), pole),
        ),
        rod((front, low, -z), (front, low, z), pole),
        rod((rear, high, -z), (rear, high, z), pole),
    ]
    if draw.chance(0.4):
        rise = dip + draw(0.25, 0.4)
        solids += mirror(
            *tube([(bend, dip, z), (bend - 0.1, rise, z), (front * 0.7, rise, z)], pole),
            rod((front * 0.5, low * 0.8, z), (front * 0.6, rise, z), pole),
        )
    return solids


def _shell_chair(draw):
    """Return a seat and back in one curved plate, on any support."""
    hx, hz, half = draw(0.4, 0.58), draw(0.36, 0.58), draw(0.025, 0.07)
    height, high = draw(0.5, 0.85), draw(0.45, 1.0)
    dip, lean = draw(0.02, 0.15), draw(0.02, 0.45)
    points = [
        (hx, height + draw(-0.05, 0.08)),
        (hx * 0.2, height - dip * 0.4),
        (-hx * 0.6, height - dip * 0.2),
        (-hx * 0.95, height + high * 0.3),
        (-hx - lean, height + high),
    ]
    solids = [band(points, half, hz)]
    if draw.chance(0.4):  # the shell comes forward at the sides
        rise, front = height + draw(0.15, 0.35), hx * draw(0.2, 0.9)
        outline = [(-hx, height - dip * 0.3), (front, height), (front, rise), (-hx - 0.05, rise)]
        solids += mirror(prism(2, outline, (hz - 2 * half, hz)))
    kind = draw.pick("legs", "legs", "legs", "star", "pedestal", "sled")
    return solids + support(kind, draw, hx * 0.8, hz * 0.85, height - dip * 0.3)


def _frame_chair(draw):
    """Return an armchair or cantilever chair, whose side frames carry seat, back and arms."""
    hx, hz, pole = draw(0.4, 0.65), draw(0.4, 0.6), draw(0.025, 0.08)
    height, rise = draw(0.4, 0.75), draw(0.2, 0.4)
    half, tilt = draw(0.03, 0.1), draw(0, 0.45)
    top, high = height + rise, height + draw(0.5, 1.0)
    slope, rear, z = draw(-0.1, 0.05), -hx + draw(0, 0.2), hz + pole
    kind = draw.pick("loop", "loop", "cantilever", "posts", "posts")
    if kind == "loop":  # floor, front post, arm, rear post
        frame = [(rear, 0, z), (hx, 0, z), (hx, top, z), (rear, top, z), (rear, 0, z)]
    elif kind == "cantilever":
        frame = [(-hx, 0, z), (hx, 0, z), (hx, height, z), (-hx, height, z)]
        arm = [(-hx, top, z), (hx * draw(0.2, 0.9), top, z), (hx * 0.4, height, z)]
    else:
        out = draw(0, 0.15)
        frame = [(hx + out, 0, z), (hx, top, z), (-hx, top + slope, z)]
        rear = -hx - tilt * 0.3
        arm = [(rear - out, 0, z), (-hx, height, z), (-hx - tilt * rise, top, z)]
    solids = mirror(*tube(frame, pole))
    if kind == "posts" or (kind == "cantilever" and draw.chance(0.4)):
        solids += mirror(*tube(arm, pole))
    y = 0 if kind == "cantilever" else top
    dip, foot = draw(0, 0.15), -hx + half
    return [
        *solids,
        rod((-hx, y, -z), (-hx, y, z), pole),
        band([(hx, height + dip * 0.5), (-hx, height - dip)], half, z),
        slab((height - dip, high), (foot, foot - tilt * (high - height)), half, hz),
    ]


def _folding_chair(draw):
    """Return a folding chair: the back's posts run down to the front feet."""
    hx, hz, pole = draw(0.35, 0.55), draw(0.36, 0.52), draw(0.025, 0.05)
    height, high, half = draw(0.5, 0.8), draw(1.1, 1.6), draw(0.025, 0.05)
    z = hz + pole
    rear, front = -hx - draw(0, 0.2), hx * draw(0.7, 1.1)
    at = lambda y: front + (rear - front) * y / high
    solids = mirror(
        rod((front, 0, z), (rear, high, z), pole),
        rod((rear * draw(0.8, 1.1), 0, z), (hx * 0.7, height, z), pole),
    )
    solids.append(box((-hx * 0.8, hx), around(height, half), (-z, z)))
    low = high - high * draw(0.1, 0.35)
    solids.append(slab((low, high), (at(low), at(high)), half, z))
    if draw.chance(0.7):
        y = height * draw(0.15, 0.4)
        solids.append(rod((at(y), y, -z), (at(y), y, z), pole))
    return solids


def _rocking_chair(draw):
    """Return a rocking chair, with or without arms."""
    hx, hz, pole = draw(0.4, 0.55), draw(0.4, 0.55), draw(0.03, 0.06)
    height, high = draw(0.45, 0.65), draw(1.2, 1.7)
    reach, lift = hx + draw(0.15, 0.5), draw(0.06, 0.2)
    runner = [(reach * s, lift * s * s, hz) for s in (-1, -0.6, -0.2, 0.2, 0.6, 1)]
    tilt, half = draw(0.1, 0.4), draw(0.03, 0.06)
    legs = [rod((x, 0.02, hz), (x, height, hz), pole) for x in (-hx * 0.8, hx * 0.8)]
    solids = mirror(*tube(runner, pole), *legs)
    solids.append(box((-hx, hx), around(height, half), (-hz - pole, hz + pole)))
    solids += backrest(draw, -hx + half, hz, height, high, tilt, half)
    return solids + _arms(draw, hx, hz, height + half, -hx + half)


def chair(draw: Draw) -> list[Solid]:
    """Return a chair, armchair, stool, office chair, lecture chair or one of the kinds above."""
    kinds = [_tub_chair, _club_chair, _lounge, _shell_chair, _shell_chair, _folding_chair]
    kinds += [_frame_chair, _frame_chair, _rocking_chair]
    if draw.chance(0.4):
        return draw.pick(*kinds)(draw)
    hx, hz, thick = draw(0.4, 0.62), draw(0.4, 0.6), draw(0.03, 0.11)
    height = draw.pick(draw(0.3, 0.5), *[draw(0.55, 0.9)] * 9, draw(1.1, 1.5))
    top = height + 2 * thick
    shape = draw.pick("box", "box", "round", "tapered")
    if shape == "tapered":
        rear = hz * draw(0.6, 0.9)
        outline = [(hx, -hz), (hx, hz), (-hx, rear), (-hx, -rear)]
        seat = prism(1, outline, (height, top))
    else:
        seat = loft(1, (height, top), (0, 0, hx, hz), section=shape)
    kind = draw.pick("legs", "legs", "legs", "star", "pedestal", "sled", "crossed", "panels")
    under = 0.68 if shape == "round" else 0.9
    solids = [seat, *support(kind, draw, hx * under, hz * under, height + thick)]
    half, tilt = draw(0.025, 0.09), draw.pick(0, draw(0, 0.2), draw(0.2, 0.5))
    high = top + draw(0.55, 1.1)
    back_z = hz * (0.7 if shape in ("round", "tapered") else draw(0.8, 1.0))
    foot_x = -hx * (0.85 if shape == "round" else 1) + half
    if draw.chance(0.05):  # a stool
        return solids
    solids += backrest(draw, foot_x, back_z, height + thick, high, tilt, half)
    return solids + _arms(draw, hx, hz * (0.75 if shape == "round" else 1), top, foot_x)
