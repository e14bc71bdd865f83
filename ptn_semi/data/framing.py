"""How an object sits in its mask: silhouettes framed as the masks of training are."""

import numpy as np
from PIL import Image

# Share of a mask's pixel from which it counts. A training mask's pixel is full if its ray meets any
# voxel, and a voxel is full if the object touches enough of it: thin parts come out thick.
_COVERED = 0.25


def frame(silhouette, image_size, extent=None):
    """Crops, pads, centres and scales a silhouette as training masks are.

    Args:
      silhouette: bool [H, W], not empty.
      image_size: S.
      extent: how long the longer side of the object's bounding box is to be, as a share of S; None
        keeps the image's own frame, its longer side spanning S.

    Returns:
      float32 [S, S, 1] of 0 and 1.
    """
    # From the square about its middle, each pixel of the mask is the mean of a box.
    if extent is None:
        top, left, (bottom, right) = 0, 0, silhouette.shape
        side = max(bottom, right)
    else:
        left, top, right, bottom = bounding_box(silhouette)
        side = max(bottom - top, right - left) / extent
    middle = (left + right) / 2, (top + bottom) / 2
    box = [m + sign * side / 2 for sign in (-1, 1) for m in middle]
    # Pillow reads only inside of an image: pad it until the square is.
    pad = int(np.ceil(side))
    padded = Image.fromarray(np.pad(silhouette, pad).astype(np.uint8) * 255)
    covered = padded.resize(
        (image_size, image_size), Image.Resampling.BOX, box=[edge + pad for edge in box]
    )
    mask = np.asarray(covered) / 255 >= _COVERED
    return mask.astype(np.float32)[..., None]


def bounding_box(silhouette):
    """(left, top, right, bottom) of a silhouette [H, W] in pixels, the last two exclusive."""
    return Image.fromarray(silhouette.astype(np.uint8)).getbbox()


def extent(masks):
    """Median over masks [M, S, S, 1] of the longer side of the object's box, as a share of S."""
    boxes = [bounding_box(mask[..., 0] > 0) for mask in masks if mask.any()]
    sides = [max(bottom - top, right - left) for left, top, right, bottom in boxes]
    return float(np.median(sides) / masks.shape[1]) if sides else 1.0
