"""Framing of silhouettes: an object's place and size in its mask, as in the training masks."""

from typing import NamedTuple, cast

import numpy as np
from PIL import Image

# Share of a pixel that the silhouette must cover for the mask's pixel to be full. It is well below
# one half because training masks thicken thin parts: a pixel there is full if its ray meets any
# voxel, and a voxel is full if the object touches enough of it.
_COVERED = 0.25


class Window(NamedTuple):
    """A square of an image.

    Attributes:
      x: column of its middle, in pixels.
      y: row of its middle.
      side: in pixels; the square may reach beyond the image.
    """

    x: float
    y: float
    side: float


def frame(silhouette: np.ndarray, image_size: int, extent: float | None = None) -> np.ndarray:
    """Crop, pad, centre and scale a silhouette as training masks are.

    Args:
      silhouette: bool [H, W], not empty.
      image_size: S, the mask's side in pixels.
      extent: see `window`.

    Returns:
      The mask, float32 [S, S, 1], of zeros and ones.
    """
    pixels = silhouette.astype(np.uint8) * 255
    covered = resample(pixels, window(silhouette, extent), image_size) / 255
    return (covered >= _COVERED).astype(np.float32)[..., None]


def window(silhouette: np.ndarray, extent: float | None = None) -> Window:
    """Return the part of an image that a mask shows if it is framed as training masks are.

    Args:
      silhouette: bool [H, W], not empty.
      extent: length of the longer side of the object's bounding box in the mask, as a share of the
        mask's side. None keeps the image's own frame; its longer side is then the mask's.
    """
    if extent is None:
        bottom, right = silhouette.shape
        return Window(right / 2, bottom / 2, max(bottom, right))
    left, top, right, bottom = bounding_box(silhouette)
    side = max(bottom - top, right - left) / extent
    return Window((left + right) / 2, (top + bottom) / 2, side)


def resample(channel: np.ndarray, window: Window, size: int) -> np.ndarray:
    """Scale a square of an image by averaging.

    Args:
      channel: uint8 or float32 [H, W]. It counts as 0 beyond the image.
      window: the square.
      size: S, the side of the result in pixels.

    Returns:
      [S, S], of the same type. Each pixel is the mean of a box in the square.
    """
    x, y, half = window.x, window.y, window.side / 2
    # Pillow reads only inside an image, so the image is padded until it holds the square.
    pad = int(np.ceil(window.side))
    padded = Image.fromarray(np.pad(channel, pad))
    box = (x - half + pad, y - half + pad, x + half + pad, y + half + pad)
    return np.asarray(padded.resize((size, size), Image.Resampling.BOX, box=box))


def bounding_box(silhouette: np.ndarray) -> tuple[int, int, int, int]:
    """Return the bounding box of a silhouette.

    Args:
      silhouette: [H, W], bool or 0 and 1, not empty.

    Returns:
      (left, top, right, bottom) in pixels; right and bottom are exclusive.
    """
    box = Image.fromarray(silhouette.astype(np.uint8)).getbbox()  # None only for empty images
    return cast(tuple[int, int, int, int], box)


def extent(masks: np.ndarray) -> float:
    """Measure how large objects are in their masks.

    Args:
      masks: [M, S, S, 1].

    Returns:
      Median over the masks of the longer side of the object's bounding box, as a share of S.
      Empty masks do not count; 1 if there are no others.
    """
    boxes = [bounding_box(mask[..., 0] > 0) for mask in masks if mask.any()]
    sides = [max(bottom - top, right - left) for left, top, right, bottom in boxes]
    return float(np.median(sides) / masks.shape[1]) if sides else 1.0
