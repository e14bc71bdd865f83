"""Chairs: each function draws one object as a list of solids, front to +x."""

from .backs import arc, backrest, band, bent
from .draw import Draw
from .solids import Solid, around, box, circle_points, loft, mirror, prism, rod, slab, tube
from .supports import support

_ROUNDED = ((1, 0.7), (0.7, 1), (-0.7, 1), (-1, 0.7), (-1, -0.7), (-0.7, -1), (0.7, -1), (1, -0.7))


def _arms(draw, hx, hz, seat, back, tilt=0.0):
    """Return arms on a seat whose top is at `seat`, reaching from x = `back` to the front.

    Their rear ends follow a back that leans to −x by `tilt`.
    """
    kind = draw.pick(*["none"] * 9, *["post"] * 3, "sloped", "sloped", "loop", "panel", "tablet")
    thick, rise, front = draw(0.018, 0.055), draw(0.2, 0.45), hx * draw(0.4, 1.0)
    top, z, rear = seat + rise, hz + draw(-0.03, 0.02), back - tilt * rise
    rail = box((rear, front), (top - 2 * thick, top), around(z, thick))
    post = box((front - 2 * thick, front), (seat - 0.05, top), around(z, thick))
    panel = box((back, front), (seat - 0.1, top), around(z, thick))
    reach = (front - 0.5, min(front + 0.25, hx + 0.2))
    board = box(reach, around(top, thick), (z - 0.4, z + thick))
    fall = top - rise * draw(-0.1, 0.4)
    slope = [(rear, top, z), (front * 0.6, fall, z), (front, fall - rise * 0.15, z)]
    ring = [(front * 0.6, seat, z), (front, (seat + top) / 2, z), (front * 0.8, top, z)]
    return {
        "none": [],
        "post": mirror(rail, post),
        "panel": mirror(panel),
        "sloped": mirror(*tube([*slope, (front * 0.9, seat - 0.04, z)], thick)),
        "loop": mirror(*tube([*ring, (rear, top, z), (back, seat, z)], thick)),
        "tablet": [rail, post, board],  # a lecture chair: writes on one side only
    }[kind]


def _dining_chair(draw):
    """Return a chair whose rear legs go on as its back: dining, wooden, high or upholstered."""
    hx, hz = draw(0.38, 0.54), draw(0.37, 0.52)
    height = draw.pick(*[draw(0.76, 0.98)] * 12, draw(1.15, 1.6))
    thick, half = draw.pick(draw(0.02, 0.05), *[draw(0.04, 0.11)] * 2), draw(0.025, 0.08)
    leg, taper = draw.pick(draw(0.022, 0.045), *[draw(0.04, 0.085)] * 2), draw(0.6, 1.1)
    top, high = height + 2 * thick, height + draw.pick(*[draw(0.62, 0.95)] * 3, draw(0.9, 1.3))
    toe, rake = draw.pick(0, 0, draw(0, 0.12)), draw.pick(0, draw(0, 0.1), draw(0.05, 0.25))
    section, x, z = draw.pick("box", "box", "round"), hx - leg, hz - leg
    start = lambda x: (x, z + toe, leg * taper, leg * taper)
    end = lambda x: (x, z, leg, leg)
    solids = mirror(
        loft(1, (0, height + thick), start(x + toe), end(x), section),
        loft(1, (0, height + thick), start(-x - rake), end(-x), section),
    )
    wide = draw.pick(hz, hz, hz * draw(1.0, 1.12))
    shape = draw.pick("box", "box", "tapered")
    rear = max(z, wide * draw(0.8, 0.95)) if shape == "tapered" else wide
    front = hx + draw.pick(0, draw(0, 0.06))
    outline = [(front, -wide), (front, wide), (-hx, rear), (-hx, -rear)]
    solids.append(prism(1, outline, (height, top)))
    if draw.chance(0.2):  # an apron
        solids.append(box((-x, x), (height - draw(0.05, 0.15), top), (-z, z)))
    bar = leg * draw(0.4, 0.9)
    for rung in draw.pick("", "", "", "side", "H", "side front", "front").split():
        y = height * draw(0.15, 0.6)
        out = 1 - y / height
        ends, side = (-x - rake * out, x + toe * out), z + toe * out
        if rung == "side":
            solids += mirror(box(ends, around(y, bar), around(side, bar)))
        if rung == "front":
            solids.append(box(around(ends[1], bar), around(y, bar), (-side, side)))
        if rung == "H":
            solids += mirror(box(ends, around(y, bar), around(side, bar)))
            solids.append(box(around(0, bar), around(y, bar), (-side, side)))
    tilt, foot = draw.pick(0, draw(0, 0.15), draw(0.05, 0.3)), -hx + half
    solids += backrest(draw, foot, rear, height, high, tilt, half)
    return solids + _arms(draw, hx, hz, top, foot, tilt)


def _office_chair(draw):
    """Return a swivel chair on a star of spokes with castors."""
    hx, hz, half = draw(0.38, 0.52), draw(0.38, 0.54), draw(0.035, 0.12)
    height, reach = draw(0.65, 0.92), draw(0.45, 0.6)
    low, top = height + draw.pick(0, draw(0, 0.15), draw(0.05, 0.3)), height + 2 * half
    high = max(low, top) + draw(0.35, 1.0)
    seat = loft(1, (height, top), (0, 0, hx, hz), section=draw.pick("box", _ROUNDED, "round"))
    tilt, thick, x = draw(0, 0.25), draw(0.03, 0.1), -hx + draw(-0.05, 0.08)
    solids = [seat, *support("star", draw, reach, reach, height + half)]
    stem = draw(0.03, 0.08)  # carries the back
    solids.append(box((x - 0.02, -hx * 0.5), around(height + 0.04, 0.03), (-stem, stem)))
    solids.append(slab((height + 0.01, low + 0.1), (x, x), 0.025, stem))
    wide, tall = hz * draw(0.75, 1.05), high - low
    kind = draw.pick("flat", "bent", "bent", "swept", "oval")
    if kind == "flat":
        solids.append(slab((low, high), (x, x - tilt * tall), thick, wide))
    if kind == "bent":
        shift = tilt * tall
        solids.append(bent(x - thick, wide, wide * draw(0.2, 0.5), (low, high), thick, shift))
    if kind == "swept":
        middle = (x + draw(-0.06, 0.06), low + tall * 0.4)
        solids += band([(x, low), middle, (x - tilt * tall, high)], thick, wide)
    if kind == "oval":
        panel = (low + tall / 2, 0, tall / 2, wide)
        solids.append(loft(0, around(x, thick), panel, section="round"))
    if draw.chance(0.65):
        bar, rise, z = draw(0.02, 0.06), draw(0.2, 0.42), hz + draw(0.0, 0.1)
        rear, front = x - tilt * rise, hx * draw(0.2, 0.9)
        pad = box((rear, front), around(top + rise, bar), around(z, bar * draw(1.0, 1.8)))
        tee = [(0, height + half, hz * 0.5), (0, height + half, z), (0, top + rise, z)]
        loop = [tee[0], (front, height + half, z), (front, top + rise, z)]
        solids += mirror(pad, *tube(draw.pick(tee, tee, loop), bar))
    return solids


def _captains_chair(draw):
    """Return a chair with a bent rail for back and arms, on legs that go up to it."""
    hx, hz, leg = draw(0.4, 0.52), draw(0.42, 0.55), draw(0.022, 0.05)
    height, half = draw(0.6, 0.9), draw(0.02, 0.07)
    top, depth = height + draw(0.4, 0.75), hx * draw(0.9, 1.9)
    tall = draw(0.04, 0.25)
    thick, splay = max(leg, draw(0.02, 0.05)), draw.pick(0, draw(0.02, 0.12))
    solids = [bent(-hx, hz, depth, (top - tall, top), thick)]
    at = lambda c, s: (-hx + thick + (depth - thick) * (1 + c), (hz - thick) * s)
    posts = [at(c, s) for c, s in circle_points(3, 0.26, draw(0.16, 0.2))[::2]]
    for x, z in posts:
        foot = x + (splay if x > -hx * 0.5 else -splay)
        solids += mirror(rod((foot, leg, z + splay * 0.5), (x, top - tall / 2, z), leg))
    rear, front = posts[1][0] - leg, max(posts[0][0] + leg, hx * 0.8)
    wide = [abs(z) + leg for _, z in posts]
    outline = [(front, -wide[0]), (front, wide[0]), (rear, wide[1]), (rear, -wide[1])]
    solids.append(prism(1, outline, around(height, half)))
    if front > posts[0][0] + 0.15:  # legs under the front
        solids += mirror(rod((front, leg, wide[0]), (front - 2 * leg, height, hz * 0.8), leg))
    filling = draw.pick("open", "spindles", "panel", "panel", "back panel")
    if filling == "panel":
        solids.append(bent(-hx, hz, depth, (height - half, top), thick))
    if filling == "back panel":
        solids.append(slab((height, top), (rear, -hx + thick), thick, hz * draw(0.2, 0.6)))
    if filling == "spindles":
        for c, s in circle_points(draw.count(4, 9), 0.3, 0.4):
            x, z = at(c, s)
            seat = (max(x, rear + leg), height, z * 0.8)
            solids.append(rod(seat, (x, top - tall / 2, z), leg * 0.7))
    return solids


def _bucket_chair(draw):
    """Return an egg, ball, swan or bucket chair: a bowl whose wall is lower towards the front."""
    hx, hz, wall = draw(0.42, 0.6), draw(0.42, 0.62), draw(0.1, 0.22)
    foot, seat, tall = draw(0.2, 0.6), draw(0.12, 0.3), draw(0.4, 1.1)
    lean, bulge, close = draw(0, 0.25), draw(0.0, 0.25), draw(0.7, 1.05)
    wide, narrow, levels = draw(0.26, 0.42), draw(0.1, 0.24), 6
    level = foot + seat
    bowl = draw(0.35, 0.9)
    start = (0, 0, hx * bowl, hz * bowl)
    solids = [loft(1, (foot, level), start, (0, 0, hx, hz), section="round")]
    grow = lambda t: 1 + 4 * bulge * t * (1 - t) + (close - 1) * t
    ring = lambda t: (-lean * t * tall, 0, hx * grow(t), hz * grow(t))
    for i in range(levels):
        low, high = i / levels, (i + 1) / levels
        plan = arc((1, 1), (1 - wall, 1 - wall), wide + (narrow - wide) * low)
        span = (level - 0.02 + low * tall, level + high * tall)
        solids.append(loft(1, span, ring(low), ring(high), tuple(plan)))
    kind = draw.pick("star", "star", "pedestal", "pedestal", "legs", "spider", "sled")
    under = 0.8 * bowl if kind in ("legs", "sled") else 0.8
    return solids + support(kind, draw, hx * under, hz * under, foot + 0.06)


def _ribbon_chair(draw):
    """Return a chair of one folded sheet: zigzag, or open to the rear or to the front."""
    hx, hz, half = draw(0.36, 0.55), draw(0.33, 0.5), draw(0.02, 0.07)
    height, high, tilt = draw(0.6, 1.0), draw(0.6, 1.0), draw(0, 0.3)
    bow = draw(0, 0.2)
    base = {
        "zigzag": [(hx, 0), (-hx, 0), (hx, height)],
        "rear": [(-hx, 0), (hx, 0), (hx + bow, height * 0.5), (hx, height)],
        "front": [(hx, 0), (-hx, 0), (-hx - bow, height * 0.5), (-hx, height)],
        "S": [(hx * 0.8, 0), (-hx, 0), (bow, height * 0.4), (hx, height * 0.85), (hx, height)],
    }[kind := draw.pick("zigzag", "rear", "front", "S", "S")]
    back = (-hx - tilt * high, height + high)
    if kind == "front":  # the back stands on the rear wall
        return [*band([*base, back], half, hz), *band([(-hx, height), (hx, height)], half, hz)]
    return band([*base, (-hx, height), back], half, hz)


def _tub_chair(draw):
    """Return a chair with a shell that runs around the seat."""
    hx, hz, thick = draw(0.4, 0.6), draw(0.4, 0.65), draw(0.04, 0.14)
    foot, seat = draw.pick(0, *[draw(0.2, 0.6)] * 4), draw(0.08, 0.25)
    high, half_turn = foot + seat + draw(0.25, 0.7), draw(0.16, 0.32)
    shell = prism(1, arc((hx, hz), (hx - thick, hz - thick), half_turn), (foot, high))
    solids = [shell, loft(1, (foot, foot + seat), (0, 0, hx, hz), section="round")]
    if foot > 0.12:
        kind = draw.pick("legs", "pedestal", "star")
        solids += support(kind, draw, hx * 0.75, hz * 0.75, foot + 0.05)
    return solids


def _club_chair(draw):
    """Return an upholstered armchair, made of blocks."""
    hx, hz, foot = draw(0.42, 0.6), draw(0.42, 0.62), draw.pick(0, *[draw(0.1, 0.4)] * 3)
    seat, arm = foot + draw(0.2, 0.4), draw(0.06, 0.2)
    high, rise, thick = seat + draw(0.25, 0.9), seat + draw(0.1, 0.4), draw(0.06, 0.16)
    tilt, rear = draw(0, 0.35), -hx + thick
    solids = mirror(box((-hx, hx * draw(0.6, 1.0)), (foot, rise), (hz - arm, hz + 0.02)))
    solids.append(box((-hx, hx), (foot, seat), (-hz, hz)))
    lean = tilt * (high - seat)
    solids.append(slab((foot, high), (rear, rear - lean), thick, hz))
    if draw.chance(0.3):  # wings
        start = (rear + thick, hz - arm / 2, draw(0.1, 0.25), arm / 2)
        solids += mirror(loft(1, (seat, high), start, (start[0] - lean, *start[1:])))
    if foot > 0.06:
        solids += support(draw.pick("legs", "block", "sled"), draw, hx, hz, foot + 0.03)
    return solids


def _lounge(draw):
    """Return a deck chair or lounger: seat and back are a slope, in a frame of crossed poles."""
    hz, half, pole = draw(0.28, 0.45), draw(0.02, 0.05), draw(0.02, 0.045)
    front, rear = draw(0.45, 0.8), -draw(0.3, 0.7)
    low, dip, high = draw(0.25, 0.5), draw(0.12, 0.3), draw(0.75, 1.3)
    bend, flare, foot = draw(-0.2, 0.1), draw(-0.1, 0.15), draw(0.2, 0.6)
    z = hz + pole
    solids = [
        *band([(front, low), (bend, dip), (rear, high)], half, hz),
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
    hx, hz, half = draw(0.4, 0.58), draw(0.36, 0.54), draw(0.02, 0.055)
    height, high = draw(0.55, 0.9), draw(0.45, 1.0)
    dip, lean = draw(0.02, 0.15), draw(0.02, 0.45)
    points = [
        (hx, height + draw(-0.06, 0.03)),
        (hx * 0.2, height - dip * 0.4),
        (-hx * 0.6, height - dip * 0.2),
        (-hx * 0.95, height + high * 0.3),
        (-hx - lean, height + high),
    ]
    solids = band(points, half, hz)
    if draw.chance(0.4):  # the shell comes forward at the sides
        rise, front = height + draw(0.15, 0.35), hx * draw(0.2, 0.9)
        outline = [(-hx, height - dip * 0.3), (front, height), (front, rise), (-hx - 0.05, rise)]
        solids += mirror(prism(2, outline, (hz - 2 * half, hz)))
    kind = draw.pick("legs", "legs", "spider", "spider", "star", "pedestal", "sled")
    return solids + support(kind, draw, hx * 0.7, hz * 0.85, height - dip * 0.1)


def _frame_chair(draw):
    """Return an armchair or cantilever chair, whose side frames carry seat, back and arms."""
    hx, hz, pole = draw(0.4, 0.65), draw(0.4, 0.58), draw(0.02, 0.06)
    height, rise = draw(0.55, 0.88), draw(0.2, 0.42)
    half, tilt = draw(0.02, 0.1), draw.pick(draw(0, 0.2), draw(0, 0.4))
    top, high = height + rise, height + draw(0.55, 1.0)
    slope, rear, z = draw(-0.1, 0.05), -hx + draw(0, 0.2), hz + pole
    kind = draw.pick("loop", "loop", "cantilever", "cantilever", "posts", "posts", "posts")
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
        *band([(hx, height + dip * 0.5), (-hx, height - dip)], half, z),
        slab((height - dip, high), (foot, foot - tilt * (high - height)), half, hz),
    ]


def _folding_chair(draw):
    """Return a folding chair: the back's posts run down to the front feet."""
    hx, hz, pole = draw(0.35, 0.55), draw(0.36, 0.5), draw(0.02, 0.04)
    height, high, half = draw(0.65, 0.9), draw(1.35, 1.8), draw(0.02, 0.045)
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
    hx, hz, pole = draw(0.4, 0.55), draw(0.4, 0.55), draw(0.02, 0.045)
    height, high = draw(0.45, 0.65), draw(1.2, 1.7)
    reach, lift = hx + draw(0.15, 0.5), draw(0.06, 0.2)
    runner = [(reach * s, lift * s * s, hz) for s in (-1, -0.6, -0.2, 0.2, 0.6, 1)]
    tilt, half = draw(0.1, 0.4), draw(0.02, 0.05)
    legs = [rod((x, 0.02, hz), (x, height, hz), pole) for x in (-hx * 0.8, hx * 0.8)]
    solids = mirror(*tube(runner, pole), *legs)
    solids.append(box((-hx, hx), around(height, half), (-hz - pole, hz + pole)))
    solids += backrest(draw, -hx + half, hz, height, high, tilt, half)
    return solids + _arms(draw, hx, hz, height + half, -hx + half, tilt)


def _plain_chair(draw):
    """Return a seat with a back on any support, or a stool."""
    hx, hz, thick = draw(0.38, 0.55), draw(0.38, 0.55), draw.pick(draw(0.02, 0.05), draw(0.03, 0.1))
    height = draw.pick(draw(0.35, 0.55), *[draw(0.65, 0.95)] * 9, draw(1.1, 1.5))
    top = height + 2 * thick
    shape = draw.pick("box", _ROUNDED, "round", "tapered")
    if shape == "tapered":
        rear = hz * draw(0.6, 0.9)
        outline = [(hx, -hz), (hx, hz), (-hx, rear), (-hx, -rear)]
        seat = prism(1, outline, (height, top))
    else:
        seat = loft(1, (height, top), (0, 0, hx, hz), section=shape)
    kinds = ["legs", "spider", "pedestal", "sled"] * 2 + ["star", "crossed", "panels", "block"]
    under = {"round": 0.68, _ROUNDED: 0.8}.get(shape, 0.9)
    solids = [seat, *support(draw.pick(*kinds), draw, hx * under, hz * under, height + thick)]
    half, tilt = draw(0.02, 0.07), draw.pick(0, draw(0, 0.2), draw(0.15, 0.45))
    high = top + draw(0.55, 1.1)
    back_z = hz * (0.7 if shape in ("round", "tapered") else draw(0.8, 1.0))
    foot_x = -hx * (0.85 if shape == "round" else 1) + half
    if draw.chance(0.1):  # a stool
        return solids
    solids += backrest(draw, foot_x, back_z, height + thick, high, tilt, half)
    if shape in ("round", "tapered"):
        return solids
    return solids + _arms(draw, hx, hz, top, foot_x, tilt)


def chair(draw: Draw) -> list[Solid]:
    """Return one of the kinds above, those that are common in homes and offices most often."""
    kinds = [_dining_chair] * 12 + [_office_chair] * 5 + [_frame_chair] * 4 + [_plain_chair] * 3
    kinds += [_captains_chair, _shell_chair, _bucket_chair, _club_chair] * 2
    kinds += [_tub_chair, _lounge, _folding_chair, _rocking_chair, _ribbon_chair]
    return draw.pick(*kinds)(draw)
