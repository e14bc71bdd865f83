"""Objects in photographs before a plain background, such as paper, a wall or a studio's sweep.

The background is what the border of the image shows: a colour that changes smoothly, with noise.
"""

import dataclasses

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.inference import doubts

_SIDE = 512  # pixels; photographs are looked at in this size, masks have 32 to 512
_FRAME = 0.08  # share of the shorter side within which a frame line is looked for
_BORDER = 0.3  # share of the border that a background explains at least
_NOISES = 4.0  # residuals above this many standard deviations are not noise
_LEAST, _MOST = 9.0, 40.0  # of 255; limits of the tolerance
_HOLE = 4.0  # of 255; an enclosed part is a hole if its mean is this close to the background
_SPECK = 0.02  # parts with less than this share of the largest part's area are dropped


@dataclasses.dataclass(frozen=True)
class Segmentation:
    """What was found in a photograph.

    Attributes:
      silhouette: bool [H, W].
      doubts: what speaks against it, in words; empty if nothing does.
    """

    silhouette: np.ndarray
    doubts: tuple[str, ...]


def segment(pixels: np.ndarray) -> Segmentation | None:
    """Find the object before a plain background.

    Args:
      pixels: uint8 [H, W, 3].

    Returns:
      The silhouette, of the image's size, and what speaks against it; None if the background is
      not plain.
    """
    height, width = pixels.shape[:2]
    step = -(-max(height, width) // _SIDE)
    small = np.asarray(Image.fromarray(pixels).reduce(step), np.float32)
    margin = _frame(small)
    inside = (slice(margin, len(small) - margin), slice(margin, small.shape[1] - margin))
    colors = small[inside]
    candidates = [_object(colors, *model) for model in _backgrounds(colors)]
    if not candidates:
        return None
    found = np.zeros(small.shape[:2], bool)
    # A background that is not plain may be the right one all the same.
    others = [len(set(said) - {doubts.NOT_PLAIN}) for _, said in candidates]
    found[inside], said = candidates[others.index(min(others))]
    if others.count(0) > 1:
        said += (doubts.TWO_COLORS,)
    enlarged = found.repeat(step, 0).repeat(step, 1)[:height, :width]
    return Segmentation(enlarged, said)


def without_specks(silhouette: np.ndarray) -> np.ndarray:
    """Drop the parts of a silhouette that are far smaller than its largest part.

    Args:
      silhouette: bool [H, W].

    Returns:
      bool [H, W].
    """
    parts, count = ndimage.label(silhouette, np.ones((3, 3)))
    if count < 2:
        return silhouette
    area = np.bincount(parts.ravel())
    area[0] = 0
    return (area >= _SPECK * area.max())[parts] & silhouette


def _frame(colors):
    """Return the width of the margin outside and under a frame line, in pixels; 0 without one."""
    limit = int(_FRAME * min(colors.shape[:2]))
    rings = [_ring(colors, inset) for inset in range(limit + 1)]
    middles = [np.median(ring, axis=0) for ring in rings]
    for inset in range(limit - 1, -1, -1):
        even = (abs(rings[inset] - middles[inset]).max(axis=1) < _MOST).mean() > 0.95
        if even and abs(middles[inset] - middles[limit]).max() > _MOST:
            return inset + 3  # two pixels for what JPEG blurs
    return 0


def _ring(values, inset=0, thickness=1):
    """Return the values [P, ...] of the pixels that are so far from the border."""
    inside = values[inset : len(values) - inset, inset : values.shape[1] - inset]
    top, bottom = inside[:thickness], inside[-thickness:]
    left, right = inside[:, :thickness], inside[:, -thickness:]
    flat = lambda part: part.reshape(-1, *values.shape[2:])
    return np.concatenate([flat(part) for part in (top, bottom, left, right)])


def _backgrounds(colors):
    """Model the background as a smooth surface of colour, in each way that the border allows.

    An object may cover much of the border, so each of its commonest colours is tried.

    Returns:
      For each model: where the background is seen, bool [H, W]; the model [H, W, 3]; the tolerance
      of a residual. The model that explains most of the border comes first.
    """
    terms = _polynomial(colors.shape[:2])
    thickness = max(2, min(colors.shape[:2]) // 50)
    rows, border = _ring(terms, thickness=thickness), _ring(colors, thickness=thickness)
    alike = lambda values, others: abs(values - others).max(axis=1) < _MOST / 2
    first = alike(border, _commonest(border))
    starts = [np.ones(len(border), bool), first]
    if not first.all():
        starts.append(alike(border, _commonest(border[~first])))
    candidates = []
    for start in starts:
        explained = alike(border, rows @ _robust_fit(rows, border, start))
        if explained.mean() >= _BORDER:
            candidates.append(explained)
    candidates.sort(key=lambda explained: -explained.mean())
    found = []
    for explained in candidates:
        model = _background(colors, terms, rows, border, explained)
        if not any((model[0] == seen).mean() > 0.9 for seen, _, _ in found):
            found.append(model)
    return found


def _background(colors, terms, rows, border, explained):
    """Extend a model of a part of the border to all of the background; see `_backgrounds`."""
    weights = _robust_fit(rows, border, explained)
    model = terms @ weights
    tolerance = _tolerance((border - rows @ weights)[explained])
    for _ in range(3):
        seen = _from_border(abs(colors - model).max(axis=-1) <= tolerance)
        weights = _robust_fit(terms[seen], colors[seen], np.ones(np.count_nonzero(seen), bool), 2)
        surface = terms @ weights
        model = surface + _smoothed(colors - surface, seen)
        tolerance = _tolerance((colors - model)[seen])
    return abs(colors - model).max(axis=-1) <= tolerance, model, tolerance


def _polynomial(shape):
    """Return the terms of a polynomial of degree 2 at each pixel, [H, W, 6]."""
    y, x = np.meshgrid(
        *(np.linspace(-1, 1, side, dtype=np.float32) for side in shape), indexing="ij"
    )
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _commonest(colors):
    """Return the middle of the commonest colours."""
    codes = (colors.astype(int) // 24) @ [1, 16, 256]
    return np.median(colors[codes == np.bincount(codes).argmax()], axis=0)


def _robust_fit(terms, colors, start, rounds=6):
    """Fit a surface to colours [P, 3], from those in `start` on; outliers lose their weight."""
    weight = start.astype(np.float32)
    for _ in range(rounds):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(terms * root, colors * root, rcond=None)[0]
        residuals = abs(colors - terms @ fit).max(axis=1)
        weight = 1 / (1 + (residuals / 8) ** 2) ** 2
    return fit


def _tolerance(residuals):
    deviation = 1.4826 * np.median(abs(residuals))
    return float(np.clip(_NOISES * deviation + 5, _LEAST, _MOST))


def _smoothed(residuals, seen):
    """Spread the background's residuals smoothly, over the object too."""
    width = max(seen.shape) / 20
    blur = lambda values: ndimage.gaussian_filter(values, width, truncate=2)
    share = blur(seen.astype(np.float32))
    spread = [blur(np.where(seen, residuals[..., c], 0)) for c in range(3)]
    return np.stack(spread, axis=-1) / (share + 0.02)[..., None]


def _from_border(mask):
    """Keep the parts of a mask that touch the image's border."""
    parts, count = ndimage.label(mask)
    kept = np.zeros(count + 1, bool)
    kept[_ring(parts)] = True
    kept[0] = False
    return kept[parts]


def _object(colors, seen, model, tolerance):
    """Return the silhouette and its doubts."""
    shadow = _soft_shadows(colors / np.maximum(model, 1), seen, tolerance / float(model.mean() + 1))
    parts, count = ndimage.label(seen | shadow)
    outside = np.zeros(count + 1, bool)
    outside[parts[_from_border(seen)]] = True
    outside[0] = False
    numbers = np.arange(1, count + 1)
    areas = ndimage.sum_labels(seen, parts, numbers)
    errors = np.stack(
        [
            ndimage.sum_labels((colors - model)[..., c] * seen, parts, numbers)
            / np.maximum(areas, 1)
            for c in range(3)
        ]
    )
    holes = np.zeros(count + 1, bool)
    holes[1:] = (areas >= 1e-4 * seen.size) & (abs(errors).max(axis=0) < _HOLE) & ~outside[1:]
    silhouette = without_specks(
        _sharpened(~(outside | holes)[parts], abs(colors - model).max(axis=-1))
    )
    return silhouette, doubts.of(silhouette, seen, np.count_nonzero(holes), colors, tolerance)


def _soft_shadows(ratios, seen, tolerance):
    """Return where the background is in shadow: darker, of the same hue, and without an outline.

    A part of an object that has the background's hue has sharp edges nearly all round.
    """
    lightness = ratios.mean(axis=-1)
    smooth = ndimage.gaussian_filter(ratios, (1, 1, 0))
    spread = smooth.max(axis=-1) - smooth.min(axis=-1)
    edges = _sharp_edges(lightness, tolerance)
    parts, count = ndimage.label(
        (spread < 0.06) & (lightness < 1) & (lightness > 0.3) & ~edges & ~seen
    )
    soft, sharp = np.zeros(count + 1), np.zeros(count + 1)
    for axis in (0, 1):
        for step in (-1, 1):
            beside = np.roll(parts, step, axis)
            soft += np.bincount(beside[seen], minlength=count + 1)
            sharp += np.bincount(beside[edges & ~seen], minlength=count + 1)
    shadows = soft > sharp
    shadows[0] = False
    return shadows[parts]


def _sharp_edges(lightness, tolerance):
    """Return where lightness changes within few pixels, and not much more within many."""
    smooth = ndimage.gaussian_filter(lightness, 0.7)
    contrast = lambda size: (
        ndimage.maximum_filter(smooth, size) - ndimage.minimum_filter(smooth, size)
    )
    few, many = contrast(5), contrast(17)
    return (few > tolerance / 2) & (few > 0.6 * many)


def _sharpened(silhouette, differences):
    """Drop the pixels of the outline that are more like the background than like the object."""
    rim = silhouette & ndimage.binary_dilation(~silhouette, iterations=2)
    return silhouette & ~(rim & (differences < 0.45 * ndimage.maximum_filter(differences, 5)))
