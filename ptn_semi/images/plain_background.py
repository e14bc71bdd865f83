"""Objects in photographs before a plain background, such as paper, a wall or a studio's sweep.

The background is what the border of the image shows: a colour that changes smoothly, with noise.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.images import backgrounds, silhouette_warnings, stripes
from ptn_semi.shapes import components

SPECK = 0.02  # share of the largest part's area, below which parts of a silhouette are dropped

_SIDE = 512  # pixels; photographs are examined at this size, as masks have 32 to 512
_FRAME = 0.08  # share of the shorter side within which a frame line is looked for
_HOLE = 4.0  # of 255; an enclosed part is a hole if its mean is this close to the background
_MIN_HOLE = 1e-4  # share of the image's area
_MIN_OBJECT = 0.01  # share of the image's area that an object before a wall and a floor covers
_MAX_ALIKE = 0.25  # share of it that may be of the wall's or the floor's colour


def segment(pixels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """Find the object before a plain background in pixels, uint8 [H, W, 3].

    Returns:
      The silhouette, bool [H, W], and why it may be wrong, in words; None if the background is not
      plain.
    """
    height, width = pixels.shape[:2]
    step = -(-max(height, width) // _SIDE)
    small = np.asarray(Image.fromarray(pixels).reduce(step), np.float32)
    margin = _find_frame(small)
    colors = small[margin : len(small) - margin, margin : small.shape[1] - margin]
    found = _find_before_wall_and_floor(colors)
    if found is None or found[1]:
        other = _find_before_one_surface(colors)
        if found is None:
            found = other
        elif other is not None and not other[1]:
            found = other[0], (silhouette_warnings.TWO_COLORS,)
    if found is None:
        return None
    silhouette, warnings = found
    padded = np.pad(silhouette, margin)
    return padded.repeat(step, 0).repeat(step, 1)[:height, :width], warnings


def _find_before_wall_and_floor(colors):
    """Return the silhouette of an object before a wall and a floor, and the warnings, or None."""
    background = backgrounds.fit_wall_and_floor(colors)
    if background is None:
        return None
    silhouette, warnings = _find_object(colors, background)
    if silhouette.mean() < _MIN_OBJECT:
        return None
    differences = [backgrounds.distance(colors, each) for each in background.surfaces]
    alike = np.minimum.reduce(differences) < backgrounds.MAX_TOLERANCE / 2
    if alike[silhouette].mean() > _MAX_ALIKE:
        warnings += (silhouette_warnings.TWO_COLORS,)
    return silhouette, warnings


def _find_before_one_surface(colors):
    """Return the silhouette of an object before one surface, and the warnings, or None."""
    candidates = [_find_object(colors, background) for background in backgrounds.fit(colors)]
    if not candidates:
        return None
    # A background that is not plain may be the right one all the same.
    others = [len(set(warnings) - {silhouette_warnings.NOT_PLAIN}) for _, warnings in candidates]
    silhouette, warnings = candidates[others.index(min(others))]
    if others.count(0) > 1:
        warnings += (silhouette_warnings.TWO_COLORS,)
    return silhouette, warnings


def _find_frame(colors):
    """Return the width of the margin outside and under a frame line, in pixels; 0 without one."""
    limit = int(_FRAME * min(colors.shape[:2]))
    rings = [backgrounds.ring(colors, inset) for inset in range(limit + 1)]
    middles = [np.median(ring, axis=0) for ring in rings]
    distance, highest = backgrounds.distance, backgrounds.MAX_TOLERANCE
    for inset in range(limit - 1, -1, -1):
        is_even = (distance(rings[inset], middles[inset]) < highest).mean() > 0.95
        if is_even and distance(middles[inset], middles[limit]) > highest:
            return inset + 3  # two pixels for what JPEG blurs
    return 0


def _find_object(colors, background):
    """Return the silhouette before a background, and the warnings about it."""
    seen, model, tolerance, _ = background
    relative_tolerance = tolerance / float(model.mean() + 1)
    shadow = _find_soft_shadows(colors / np.maximum(model, 1), seen, relative_tolerance)
    outside = ndimage.binary_propagation(backgrounds.connected_to_border(seen), mask=seen | shadow)
    parts, count = ndimage.label((seen | shadow) & ~outside)
    areas = np.bincount(parts[seen], minlength=count + 1)
    errors = [
        np.bincount(parts[seen], residuals, minlength=count + 1) / np.maximum(areas, 1)
        for residuals in (colors - model)[seen].T
    ]
    is_hole = (areas >= _MIN_HOLE * seen.size) & (abs(np.array(errors)).max(axis=0) < _HOLE)
    is_hole[0] = False  # what is in no part
    silhouette = _sharpen(~(outside | is_hole[parts]), backgrounds.distance(colors, model))
    silhouette, was_in_pieces = stripes.mend(components.keep_large(silhouette, SPECK))
    num_holes = int(np.count_nonzero(is_hole))
    warnings = silhouette_warnings.find_warnings(silhouette, seen, num_holes, colors, tolerance)
    if was_in_pieces and silhouette_warnings.SEVERAL_OBJECTS not in warnings:
        warnings += (silhouette_warnings.IN_PIECES,)
    return silhouette, warnings


def _find_soft_shadows(ratios, seen, tolerance):
    """Return where the background is in shadow: darker, of the same hue, and without an outline.

    A part of an object that has the background's hue has sharp edges nearly all round.
    """
    lightness = ratios.mean(axis=-1)
    hues = np.ptp(ndimage.gaussian_filter(ratios, (1, 1, 0)), axis=-1)
    edges = _find_sharp_edges(lightness, tolerance)
    parts, count = ndimage.label(
        (hues < 0.06) & (lightness < 1) & (lightness > 0.3) & ~edges & ~seen
    )
    soft, sharp = np.zeros(count + 1), np.zeros(count + 1)
    for axis in (0, 1):
        for step in (-1, 1):
            beside = np.roll(parts, step, axis)
            soft += np.bincount(beside[seen], minlength=count + 1)
            sharp += np.bincount(beside[edges & ~seen], minlength=count + 1)
    is_shadow = soft > sharp
    is_shadow[0] = False
    return is_shadow[parts]


def _find_sharp_edges(lightness, tolerance):
    """Return where lightness changes within few pixels, and not much more within many."""
    smooth = ndimage.gaussian_filter(lightness, 0.7)
    few, many = (
        ndimage.maximum_filter(smooth, size) - ndimage.minimum_filter(smooth, size)
        for size in (5, 17)
    )
    return (few > tolerance / 2) & (few > 0.6 * many)


def _sharpen(silhouette, differences):
    """Drop the pixels of the outline that are more like the background than like the object."""
    rim = silhouette & ndimage.binary_dilation(~silhouette, iterations=2)
    return silhouette & ~(rim & (differences < 0.45 * ndimage.maximum_filter(differences, 5)))
