"""How labeled shapes of a category differ from one another, which decides how training varies them.

Training shows shapes that nobody has labeled: warped ones and mirror images. They are worth showing
as far as they could be of the same kind. The labeled shapes' visual hulls say how far that is.
"""

import numpy as np
import tensorflow as tf

from ptn_semi.data.hulls import Occupancy
from ptn_semi.models import warps
from ptn_semi.projection import resolutions

STRONGEST = 0.25  # of the strengths that warps are given
MAX_COMPARED = 100  # hulls of a category, spread evenly; more are not looked at
_STRENGTHS = (0.05, 0.1, 0.15, 0.2, STRONGEST)
_SIDE = 32  # voxels; finer hulls are averaged
_WARPS = 4  # of each hull
_SYMMETRIC = 0.8  # IoU with the own mirror image; hulls of symmetric real shapes have .84 to .95


def choose(
    categories: np.ndarray,
    known: np.ndarray,
    occupancy: Occupancy,
    own: int,
    mirror_views: bool,
    strength: float,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Choose how to vary shapes by the known shapes of their category, and print it.

    Args:
      categories: of all training shapes, [shapes].
      known: indices of the shapes whose hulls or voxels are known, int [hulls].
      occupancy: these hulls and voxels.
      own: number of shapes, from the first, that are the data set's. The others count only in
        categories of which none of these is known.
      mirror_views: whether shapes may be mirrored at all.
      strength: how far to warp all hulls; 0 to choose it.

    Returns:
      Which shapes are shown as their mirror images too, bool [shapes]; how far each hull is warped,
      float32 [hulls], see `warps.random_warp`; and whether the shapes of all categories are
      mirrored and symmetric.
    """
    mirrored = np.full(len(categories), mirror_views)
    strengths = np.full(len(known), strength or STRONGEST, np.float32)
    symmetric = mirror_views and len(known) > 0
    for category in np.unique(categories[known]):
        of_category = categories[known] == category
        preferred = of_category & (known < own)
        chosen = np.flatnonzero(preferred if preferred.any() else of_category)
        compared = occupancy.read(_some(chosen))
        occupied = compared > 0
        symmetric = symmetric and is_symmetric(compared >= 128)
        if mirror_views and not mirror_images_fit(occupied):
            print(f"{category}: no mirror images, as the labeled shapes are unlike theirs")
            mirrored[categories == category] = False
        if not strength:
            strengths[of_category] = warp_strength(occupied)
            print(f"{category}: warp_strength {strengths[of_category][0]:.3f}")
    return mirrored, strengths, symmetric and bool(mirrored.all())


def some_of_each(categories: np.ndarray, labeled: np.ndarray) -> np.ndarray:
    """Return those of the labeled shapes that `choose` looks at, sorted indices."""
    groups = [_some(labeled[categories[labeled] == name]) for name in np.unique(categories)]
    return np.sort(np.concatenate(groups))


def _some(indices: np.ndarray) -> np.ndarray:
    """Return at most `MAX_COMPARED` of some indices, spread evenly."""
    count = min(len(indices), MAX_COMPARED)
    return indices[np.linspace(0, len(indices) - 1, count).astype(int)]


def mirror_images_fit(hulls: np.ndarray) -> bool:
    """Tell whether the mirror images of hulls, bool [B, N, N, N], look like the same kind.

    Their mean IoU with the hull most like each must be as high as that of a hull with the other one
    most like it. Objects that all face a little to the same side are not symmetric enough.
    """
    hulls = _compared(hulls)
    rows = _rows(hulls)
    mirrored = _iou(_rows(hulls[:, :, :, ::-1]), rows).max(axis=1).mean()
    return bool(mirrored >= _nearest(rows))


def is_symmetric(hulls: np.ndarray) -> bool:
    """Tell whether shapes, bool [B, N, N, N], are nearly their own mirror images, on average."""
    hulls = _compared(hulls)
    both = hulls * hulls[:, :, :, ::-1]
    either = np.maximum(hulls, hulls[:, :, :, ::-1])
    axes = (1, 2, 3)
    return bool((both.sum(axes) / np.maximum(either.sum(axes), 1)).mean() >= _SYMMETRIC)


def warp_strength(hulls: np.ndarray) -> float:
    """Find how far to warp shapes whose hulls are bool [B, N, N, N].

    Returns:
      The strength of `warps.random_warp` at which a warped shape is as much like its original (mean
      IoU) as the labeled shape most like it is, from .05 to .25.
    """
    hulls = _compared(hulls)
    nearest = _nearest(_rows(hulls))
    repeated = np.repeat(hulls, _WARPS, axis=0)
    likeness = []
    for strength in _STRENGTHS:
        warped = warps.random_warp(tf.constant(repeated), tf.constant([0, 0]), strength).numpy()
        both, either = warped * repeated, np.maximum(warped, repeated)
        likeness.append((both.sum(axis=(1, 2, 3)) / either.sum(axis=(1, 2, 3))).mean())
    # Stronger warps are less alike; np.interp wants rising numbers and keeps to the ends.
    return float(np.interp(-nearest, -np.array(likeness), _STRENGTHS))


def _compared(hulls: np.ndarray) -> np.ndarray:
    """Return hulls as zeros and ones [B, n, n, n], of at most 32³ voxels."""
    hulls = hulls.astype(np.float32)
    side = min(hulls.shape[1], _SIDE)
    return (np.asarray(resolutions.coarse_voxels(hulls, side)) >= 0.5).astype(np.float32)


def _nearest(rows: np.ndarray) -> float:
    """Return the mean IoU of a shape with the other shape most like it; 0 for a single one."""
    alike = _iou(rows, rows)
    np.fill_diagonal(alike, 0)
    return float(alike.max(axis=1).mean())


def _rows(hulls: np.ndarray) -> np.ndarray:
    return hulls.reshape(len(hulls), -1)


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the IoU [A, B] of every pair of rows [A, n] and [B, n] of zeros and ones."""
    both = a @ b.T
    return both / np.maximum(a.sum(axis=1)[:, None] + b.sum(axis=1) - both, 1)
