"""Masks and voxels at several resolutions, which differ by whole factors.

A mask may be finer or coarser than the grid that it is compared with. A projector should cast about
one ray per voxel: with fewer, voxels lie between the rays; more cost time and add no information.
"""

import math

import numpy as np
import tensorflow as tf

from ptn_semi.projection.projector import Projector
from ptn_semi.projection.rays import MIN_COVERAGE


def coarse_side(image_size: int, voxel_size: int) -> int:
    """Return the side of the smallest averaged masks that are not coarser than a grid.

    It is the smallest whole fraction of the masks' side S that is at least the grid's side N; S if
    S is smaller than N. `coarse_side(64, 32)` is 32, and `coarse_side(100, 32)` is 50.
    """
    factors = range(max(1, image_size // voxel_size), 0, -1)
    return image_size // next(f for f in factors if image_size % f == 0)


def fine_side(image_size: int, voxel_size: int) -> int:
    """Return the smallest multiple of a mask's side S that is at least a grid's side N.

    `fine_side(32, 64)` is 64.
    """
    return image_size * math.ceil(voxel_size / image_size)


def coarse_masks(masks: tf.Tensor, side: int) -> tf.Tensor:
    """Average masks [B, S, S, C] over blocks of pixels to [B, side, side, C]."""
    factor = masks.shape[1] // side
    return masks if factor == 1 else tf.nn.avg_pool2d(masks, factor, factor, "VALID")


def coarse_voxels(voxels: tf.Tensor, side: int) -> tf.Tensor:
    """Average voxels [B, N, N, N] over blocks to [B, side, side, side]."""
    factor = voxels.shape[1] // side
    if factor == 1:
        return voxels
    return tf.nn.avg_pool3d(voxels[..., None], factor, factor, "VALID")[..., 0]


def repeated_voxels(voxels: np.ndarray, side: int) -> np.ndarray:
    """Repeat voxels [B, N, N, N] along each axis to [B, side, side, side]."""
    for axis in (1, 2, 3) if side > voxels.shape[1] else ():
        voxels = voxels.repeat(side // voxels.shape[axis], axis)
    return voxels


def render(
    projector: Projector, voxels: tf.Tensor, viewpoints: tf.Tensor, image_size: int
) -> tf.Tensor:
    """Render occupied voxels to binary masks, as those of data sets.

    Args:
      projector: projector to masks of the side that `fine_side` gives.
      voxels: [B, N, N, N], 0 where empty.
      viewpoints: [B, 2 or 7]; see `geometry`.
      image_size: S.

    Returns:
      float32 [B, S, S, 1] of zeros and ones. A pixel is 1 if its ray meets an occupied voxel; where
      pixels are larger than voxels, if a quarter of its rays do.
    """
    seen = tf.cast(projector([voxels, viewpoints]) > 0, tf.float32)
    if projector.image_size == image_size:
        return seen
    return tf.cast(coarse_masks(seen, image_size) >= MIN_COVERAGE, tf.float32)
