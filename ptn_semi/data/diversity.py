"""How labeled shapes differ from one another, which decides how training varies them.

Training shows shapes that nobody has labeled: warped ones and mirror images. They are worth showing
as far as they could be of the same kind. The labeled shapes' visual hulls say how far that is.
"""

import numpy as np
import tensorflow as tf

from ptn_semi.models import warps
from ptn_semi.projection import resolutions

STRONGEST = 0.25  # of the strengths that warps are given
MOST = 100  # hulls that are compared; more are not looked at
_STRENGTHS = (0.05, 0.1, 0.15, 0.2, STRONGEST)
_SIDE = 32  # voxels; finer hulls are averaged
_WARPS = 4  # of each hull


def mirror_images_fit(hulls: np.ndarray) -> bool:
    """Tell whether mirror images of shapes look like shapes of the same kind.

    They do unless they are less like the shapes than these are like one another. Most objects are
    symmetric enough. Objects that all face a little to the same side are not.

    Args:
      hulls: bool [B, N, N, N], axes x, y, z.

    Returns:
      Whether the mean IoU of a mirror image with the hull most like it is as high as the mean IoU
      of a hull with the other one most like it.
    """
    hulls = _compared(hulls)
    rows = _rows(hulls)
    mirrored = _iou(_rows(hulls[:, :, :, ::-1]), rows).max(axis=1).mean()
    return bool(mirrored >= _nearest(rows))


def warp_strength(hulls: np.ndarray) -> float:
    """Find how far to warp shapes.

    Args:
      hulls: bool [B, N, N, N], axes x, y, z.

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


def _compared(hulls):
    """Return the hulls that are compared, [up to MOST, n, n, n] of zeros and ones, at most 32³."""
    hulls = hulls[:MOST].astype(np.float32)
    side = min(hulls.shape[1], _SIDE)
    return np.float32(np.asarray(resolutions.coarse_voxels(hulls, side)) >= 0.5)


def _nearest(rows):
    """Return the mean IoU of a shape with the other shape most like it; 0 for a single one."""
    alike = _iou(rows, rows)
    np.fill_diagonal(alike, 0)
    return alike.max(axis=1).mean()


def _rows(hulls):
    return hulls.reshape(len(hulls), -1)


def _iou(a, b):
    """Compute the IoU [A, B] of every pair of rows [A, n] and [B, n] of zeros and ones."""
    both = a @ b.T
    return both / np.maximum(a.sum(axis=1)[:, None] + b.sum(axis=1) - both, 1)
