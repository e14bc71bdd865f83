"""Where a projector looks: the planes along the camera's axis and each ray's place on them.

Every ray (one per pixel) is sampled on planes of equal depth, one voxel apart; the planes cover
the depth that a turned grid needs. Lengths are in voxels, from the grid's centre.
"""

import math

import numpy as np


def num_samples_for(voxel_size):
    """Planes along a ray: as deep as the grid's diagonal, on voxels' centres at quarter turns."""
    return voxel_size + 2 * math.ceil(voxel_size * (math.sqrt(3) - 1) / 2)


def depths(voxel_size):
    """Of the planes along the backward axis, farthest from the camera first, [K]."""
    return centred(num_samples_for(voxel_size))


def centred(count):
    """Numbers one apart around 0, [count]."""
    return np.arange(count) - (count - 1) / 2


def pixel_spacing(voxel_size, image_size, camera):
    """How far apart neighbouring rays are on each plane, [K]."""
    half_widths = camera.half_width(depths(voxel_size) / voxel_size)
    return 2 * half_widths * voxel_size / image_size
