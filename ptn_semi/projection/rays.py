"""Sample positions of a projector: planes along the camera's axis, and the rays' places on them.

Every ray (one per pixel) is sampled on planes of equal depth, which are one voxel apart. The planes
cover the depth that a turned grid needs. Lengths are in voxels, measured from the grid's centre.
"""

import math

import numpy as np

from ptn_semi.projection.camera import Camera

# Ways to make a pixel of a ray's samples; `projector` explains them.
POOLINGS = ("absorption", "probability", "max")
# Share of a pixel that an object must cover for the pixel of a binary mask to be full. It is well
# below one half because masks at the grid's resolution thicken thin parts: a pixel there is full if
# its ray meets any voxel, and a voxel is full if the object touches enough of it.
MIN_COVERAGE = 0.25


def depths(voxel_size: int) -> np.ndarray:
    """Return the positions [K] of the planes along the backward axis, in voxels.

    The farthest from the camera comes first. The planes cover the grid's diagonal, and they contain
    the voxels' centres at quarter turns.
    """
    return centred(voxel_size + 2 * math.ceil(voxel_size * (math.sqrt(3) - 1) / 2))


def centred(count: int) -> np.ndarray:
    """Return numbers [count] that are one apart and centred on 0."""
    return np.arange(count) - (count - 1) / 2


def pixel_spacing(voxel_size: int, image_size: int, camera: Camera) -> np.ndarray:
    """Compute the distance between neighbouring rays on each plane, [K] in voxels."""
    half_widths = camera.half_width(depths(voxel_size) / voxel_size)
    return 2 * half_widths * voxel_size / image_size
