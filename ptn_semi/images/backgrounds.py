"""Models of the plain backgrounds of photographs: smooth surfaces of colour, with noise.

One surface shows paper, a wall or a studio's sweep. Two that meet in a line show a wall and a
floor.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

MAX_TOLERANCE = 40.0  # of 255

_MIN_TOLERANCE = 9.0
_MIN_BORDER = 0.3  # share of the border that a background has to explain
_NOISE = 4.0  # residuals above this many standard deviations are not noise
_MIN_STEP = 10.0  # of 255; by how much the colours of a wall and a floor differ
_NUM_STEPS = 3  # places at each side where the floor may begin
_MAX_SLOPE = 0.15  # of the line where wall and floor meet
_MIN_PART = 0.08  # share of the height that a wall or a floor has at least
_LINE = 3  # pixels on either side of the line, where colours are mixed
_MIN_WALL_AND_FLOOR = 0.8  # share of the border that they explain together
_MAX_REST = 0.6  # share of one surface's residuals that they leave


class Background(NamedTuple):
    """A background, as the border shows it, behind all of a photograph."""

    seen: np.ndarray  # where the colours are the background's, bool [H, W]
    model: np.ndarray  # the background's colours, [H, W, 3]
    tolerance: float  # difference from the model that noise does not reach
    surfaces: list[np.ndarray]  # each surface, also where it does not reach, [H, W, 3]


def fit(colors: np.ndarray) -> list[Background]:
    """Model the background of a photograph as one surface, in each way that the border allows.

    An object may cover much of the border, so each of the border's two commonest colours is tried.

    Args:
      colors: float [H, W, 3] from 0 to 255.

    Returns:
      The models. The one that explains most of the border comes first.
    """
    terms = _make_polynomial(colors.shape[:2])
    rows, border = _strip(terms), _strip(colors)
    everywhere = np.ones(colors.shape[:2], bool)
    found: list[Background] = []
    explained = [residuals < MAX_TOLERANCE / 2 for residuals in _fit_one(rows, border)]
    for part in sorted(explained, key=lambda part: -part.mean()):
        if part.mean() >= _MIN_BORDER:
            background = _extend(colors, terms, part, [everywhere], ~everywhere)
            if not any((background.seen == other.seen).mean() > 0.9 for other in found):
                found.append(background)
    return found


def fit_wall_and_floor(colors: np.ndarray) -> Background | None:
    """Model the background as two surfaces that meet in a line, which is nearly level.

    Takes what `fit` takes.

    Returns:
      The model; None if one surface explains the border about as well, or two do not explain it.
    """
    height, width = colors.shape[:2]
    smooth = ndimage.gaussian_filter(colors, (1.5, 1.5, 0))
    terms = _make_polynomial(colors.shape[:2])
    rows, border = _strip(terms), _strip(smooth)
    lowest = _MAX_REST * min(_cost(residuals) for residuals in _fit_one(rows, border))
    best, best_line = None, None
    for left in _find_steps(smooth[:, : width // 50 + 1]):
        for right in _find_steps(smooth[:, -(width // 50) - 1 :]):
            line = np.linspace(left, right, width) - np.arange(height)[:, None]
            residuals = np.zeros(len(border))
            for inside in (_strip(line) > 0, _strip(line) <= 0):
                start = np.ones(np.count_nonzero(inside), bool)
                surface = rows[inside] @ _fit(rows[inside], border[inside], start)
                residuals[inside] = distance(border[inside], surface)
            if abs(left - right) <= _MAX_SLOPE * width and _cost(residuals) < lowest:
                lowest, best, best_line = _cost(residuals), residuals < _MIN_STEP, line
    if best is None or best_line is None or best.mean() < _MIN_WALL_AND_FLOOR:
        return None
    regions = [best_line > 0, best_line <= 0]
    return _extend(colors, terms, best, regions, abs(best_line) <= _LINE)


def ring(values: np.ndarray, inset: int = 0, thickness: int = 1) -> np.ndarray:
    """Return the values [P, ...] of the pixels that are this far from the border."""
    inside = values[inset : len(values) - inset, inset : values.shape[1] - inset]
    top, bottom = inside[:thickness], inside[-thickness:]
    left, right = inside[:, :thickness], inside[:, -thickness:]
    parts = [part.reshape(-1, *values.shape[2:]) for part in (top, bottom, left, right)]
    return np.concatenate(parts)


def distance(colors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the difference of colours [..., 3] in the channel that differs most."""
    return abs(colors - others).max(axis=-1)


def connected_to_border(mask: np.ndarray) -> np.ndarray:
    """Keep the parts of a mask, bool [H, W], that touch the image's border."""
    return ndimage.binary_propagation(np.zeros_like(mask), mask=mask, border_value=1)


def _strip(values):
    """Return the values [P, ...] of the pixels at the border."""
    return ring(values, thickness=max(2, min(values.shape[:2]) // 50))


def _fit_one(rows, border):
    """Fit one surface to the border in several ways, and return the residuals [P] of each."""
    alike = lambda others: distance(border, others) < MAX_TOLERANCE / 2
    first = alike(_commonest(border))
    starts = [np.ones(len(border), bool), first]
    if not first.all():
        starts.append(alike(_commonest(border[~first])))
    return [distance(border, rows @ _fit(rows, border, start)) for start in starts]


def _cost(residuals):
    return np.minimum(residuals, MAX_TOLERANCE).mean()


def _find_steps(side):
    """Return the rows in which the colour of a side of the picture, [H, T, 3], changes most."""
    column = np.median(side, axis=1)
    reach = max(3, len(column) // 40)
    # The mean of the rows under a row less that of the rows over it.
    means = ndimage.uniform_filter1d(column, reach, axis=0, mode="nearest")
    ahead = reach // 2 + 2
    steps = distance(np.roll(means, -ahead, 0), np.roll(means, ahead, 0))
    margin = max(round(_MIN_PART * len(column)), reach + ahead)
    steps[:margin] = steps[-margin:] = 0
    found = []
    for _ in range(_NUM_STEPS):
        row = steps.argmax()
        if steps[row] < _MIN_STEP:
            break
        # The step's middle is where the colour is halfway.
        around = slice(row - ahead, row + ahead + 1)
        before, after = column[row - ahead], column[row + ahead]
        halfway = distance(column[around], (before + after) / 2).argmin()
        found.append(int(row - ahead + halfway))
        steps[max(0, row - 2 * reach) : row + 2 * reach] = 0
    return found


def _extend(colors, terms, explained, regions, line):
    """Extend a model of a part of the border to all of the background.

    Args:
      colors: [H, W, 3].
      terms: [H, W, 6].
      explained: the part of the border, bool [P].
      regions: where each of the surfaces is, bool [H, W].
      line: where two surfaces meet and colours are mixed, bool [H, W].
    """
    rows, border = _strip(terms), _strip(colors)
    surfaces = []
    for region in regions:
        inside = _strip(region)
        weights = _fit(rows[inside], border[inside], explained[inside])
        surfaces.append(terms @ weights)
    model = _join(colors, surfaces, regions, line)
    tolerance = _estimate_tolerance((border - _strip(model))[explained])
    for _ in range(3):
        seen = connected_to_border(distance(colors, model) <= tolerance)
        surfaces = [_fit_surface(colors, terms, seen & region) for region in regions]
        model = _join(colors, surfaces, regions, line)
        tolerance = _estimate_tolerance((colors - model)[seen])
    return Background(distance(colors, model) <= tolerance, model, tolerance, surfaces)


def _fit_surface(colors, terms, seen):
    """Fit a surface to the colours of a region, also behind the object."""
    start = np.ones(np.count_nonzero(seen), bool)
    surface = terms @ _fit(terms[seen], colors[seen], start, rounds=2)
    return surface + _spread(colors - surface, seen)


def _join(colors, surfaces, regions, line):
    """Join the surfaces of regions. On the line, any mixture of their colours is background."""
    model = np.select([region[..., None] for region in regions], surfaces)
    mixed = colors.clip(np.minimum.reduce(surfaces), np.maximum.reduce(surfaces))
    return np.where(line[..., None], mixed, model)


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
        weight = 1 / (1 + (distance(colors, terms @ fit) / 8) ** 2) ** 2
    return fit


def _estimate_tolerance(residuals):
    deviation = 1.4826 * np.median(abs(residuals))
    return float(np.clip(_NOISE * deviation + 5, _MIN_TOLERANCE, MAX_TOLERANCE))


def _spread(residuals, seen):
    """Spread the background's residuals smoothly, also behind the object."""
    width = max(seen.shape) / 20
    blur = lambda values: ndimage.gaussian_filter(values, width, truncate=2, axes=(0, 1))
    share = blur(seen.astype(np.float32))
    return blur(np.where(seen[..., None], residuals, 0)) / (share + 0.02)[..., None]
