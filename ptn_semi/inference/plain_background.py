"""Objects in photographs before a plain background, such as paper, a wall or a studio's sweep.

The background is what the border of the image shows: a colour that changes smoothly, with noise.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.inference import silhouette_warnings
from ptn_semi.shapes import components

SPECK = 0.02  # share of the largest part's area, below which parts of a silhouette are dropped

_SIDE = 512  # pixels; photographs are examined at this size, as masks have 32 to 512
_FRAME = 0.08  # share of the shorter side within which a frame line is looked for
_MIN_BORDER = 0.3  # share of the border that a background has to explain
_NOISE = 4.0  # residuals above this many standard deviations are not noise
_MIN_TOLERANCE, _MAX_TOLERANCE = 9.0, 40.0  # of 255
_HOLE = 4.0  # of 255; an enclosed part is a hole if its mean is this close to the background
_MIN_HOLE = 1e-4  # share of the image's area


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
    candidates = [_find_object(colors, *fit) for fit in _fit_backgrounds(colors)]
    if not candidates:
        return None
    # A background that is not plain may be the right one all the same.
    others = [len(set(warnings) - {silhouette_warnings.NOT_PLAIN}) for _, warnings in candidates]
    silhouette, warnings = candidates[others.index(min(others))]
    if others.count(0) > 1:
        warnings += (silhouette_warnings.TWO_COLORS,)
    padded = np.pad(silhouette, margin)
    return padded.repeat(step, 0).repeat(step, 1)[:height, :width], warnings


def _find_frame(colors):
    """Return the width of the margin outside and under a frame line, in pixels; 0 without one."""
    limit = int(_FRAME * min(colors.shape[:2]))
    rings = [_ring(colors, inset) for inset in range(limit + 1)]
    middles = [np.median(ring, axis=0) for ring in rings]
    for inset in range(limit - 1, -1, -1):
        is_even = (_distance(rings[inset], middles[inset]) < _MAX_TOLERANCE).mean() > 0.95
        if is_even and _distance(middles[inset], middles[limit]) > _MAX_TOLERANCE:
            return inset + 3  # two pixels for what JPEG blurs
    return 0


def _ring(values, inset=0, thickness=1):
    """Return the values [P, ...] of the pixels that are this far from the border."""
    inside = values[inset : len(values) - inset, inset : values.shape[1] - inset]
    top, bottom = inside[:thickness], inside[-thickness:]
    left, right = inside[:, :thickness], inside[:, -thickness:]
    parts = [part.reshape(-1, *values.shape[2:]) for part in (top, bottom, left, right)]
    return np.concatenate(parts)


def _distance(colors, others):
    """Return the difference of colours [..., 3] in the channel that differs most."""
    return abs(colors - others).max(axis=-1)


def _fit_backgrounds(colors):
    """Model the background as a smooth surface of colour, in each way that the border allows.

    An object may cover much of the border, so each of the border's two commonest colours is tried.

    Returns:
      For each model: where the background is seen, bool [H, W]; the model, [H, W, 3]; the tolerance
      of a residual. The model that explains most of the border comes first.
    """
    terms = _make_polynomial(colors.shape[:2])
    thickness = max(2, min(colors.shape[:2]) // 50)
    rows, border = _ring(terms, thickness=thickness), _ring(colors, thickness=thickness)
    alike = lambda others: _distance(border, others) < _MAX_TOLERANCE / 2
    first = alike(_commonest(border))
    starts = [np.ones(len(border), bool), first]
    if not first.all():
        starts.append(alike(_commonest(border[~first])))
    explained = [alike(rows @ _fit(rows, border, start)) for start in starts]
    found: list[tuple[np.ndarray, ...]] = []
    for part in sorted(explained, key=lambda part: -part.mean()):
        if part.mean() >= _MIN_BORDER:
            model = _extend(colors, terms, rows, border, part)
            if not any((model[0] == seen).mean() > 0.9 for seen, _, _ in found):
                found.append(model)
    return found


def _extend(colors, terms, rows, border, explained):
    """Extend a model of a part of the border to all of the background; see `_fit_backgrounds`."""
    weights = _fit(rows, border, explained)
    model = terms @ weights
    tolerance = _estimate_tolerance((border - rows @ weights)[explained])
    for _ in range(3):
        seen = _connected_to_border(_distance(colors, model) <= tolerance)
        start = np.ones(np.count_nonzero(seen), bool)
        surface = terms @ _fit(terms[seen], colors[seen], start, rounds=2)
        model = surface + _spread(colors - surface, seen)
        tolerance = _estimate_tolerance((colors - model)[seen])
    return _distance(colors, model) <= tolerance, model, tolerance


def _make_polynomial(shape):
    """Return the terms of a polynomial of degree 2 at each pixel, [H, W, 6]."""
    y, x = np.meshgrid(
        *(np.linspace(-1, 1, side, dtype=np.float32) for side in shape), indexing="ij"
    )
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _commonest(colors):
    """Return the median of the commonest colours."""
    codes = (colors.astype(int) // 24) @ [1, 16, 256]
    return np.median(colors[codes == np.bincount(codes).argmax()], axis=0)


def _fit(terms, colors, start, rounds=6):
    """Fit a surface to colours [P, 3], beginning with those in `start`; outliers lose weight."""
    weight = start.astype(np.float32)
    for _ in range(rounds):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(terms * root, colors * root, rcond=None)[0]
        weight = 1 / (1 + (_distance(colors, terms @ fit) / 8) ** 2) ** 2
    return fit


def _estimate_tolerance(residuals):
    deviation = 1.4826 * np.median(abs(residuals))
    return float(np.clip(_NOISE * deviation + 5, _MIN_TOLERANCE, _MAX_TOLERANCE))


def _spread(residuals, seen):
    """Spread the background's residuals smoothly, also behind the object."""
    width = max(seen.shape) / 20
    blur = lambda values: ndimage.gaussian_filter(values, width, truncate=2, axes=(0, 1))
    share = blur(seen.astype(np.float32))
    return blur(np.where(seen[..., None], residuals, 0)) / (share + 0.02)[..., None]


def _connected_to_border(mask):
    """Keep the parts of a mask that touch the image's border."""
    return ndimage.binary_propagation(np.zeros_like(mask), mask=mask, border_value=1)


def _find_object(colors, seen, model, tolerance):
    """Return the silhouette before a background, and the warnings about it."""
    relative_tolerance = tolerance / float(model.mean() + 1)
    shadow = _find_soft_shadows(colors / np.maximum(model, 1), seen, relative_tolerance)
    outside = ndimage.binary_propagation(_connected_to_border(seen), mask=seen | shadow)
    parts, count = ndimage.label((seen | shadow) & ~outside)
    areas = np.bincount(parts[seen], minlength=count + 1)
    errors = [
        np.bincount(parts[seen], residuals, minlength=count + 1) / np.maximum(areas, 1)
        for residuals in (colors - model)[seen].T
    ]
    is_hole = (areas >= _MIN_HOLE * seen.size) & (abs(np.array(errors)).max(axis=0) < _HOLE)
    is_hole[0] = False  # what is in no part
    silhouette = _sharpen(~(outside | is_hole[parts]), _distance(colors, model))
    silhouette = components.keep_large(silhouette, SPECK)
    num_holes = int(np.count_nonzero(is_hole))
    return silhouette, silhouette_warnings.find_warnings(
        silhouette, seen, num_holes, colors, tolerance
    )


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
