"""Framing of silhouettes: an object's place and size in its mask, as in the training masks."""

from typing import cast

import numpy as np
from PIL import Image

from ptn_semi.projection.rays import MIN_COVERAGE
from ptn_semi.utils import arrays

# A square of an image, as (left, top, right, bottom) in pixels. It may reach beyond the image.
Window = tuple[float, float, float, float]


def frame(silhouette: np.ndarray, image_size: int, extent: float | None = None) -> np.ndarray:
    """Crop, pad, centre and scale a silhouette as training masks are.

    Args:
      silhouette: bool [H, W], or numbers in [0, 1], of an object where they are at least 0.5.
      image_size: S, the mask's side in pixels.
      extent: see `window`.

    Returns:
      The mask, float32 [S, S, 1], of zeros and ones.

    Raises:
      ValueError: if the silhouette has another shape, holds other numbers or is empty.
    """
    silhouette = _check(silhouette)
    pixels = silhouette.astype(np.uint8) * 255
    covered = resample(pixels, window(silhouette, extent), image_size) / 255
    return (covered >= MIN_COVERAGE).astype(np.float32)[..., None]


def window(silhouette: np.ndarray, extent: float | None = None) -> Window:
    """Return the part of an image that a mask shows if it is framed as training masks are.

    `extent` is the length of the longer side of the object's bounding box in the mask, as a share
    of the mask's side. None keeps the image's own frame; its longer side is then the mask's. Takes
    the silhouettes that `frame` takes, and refuses the same.
    """
    silhouette = _check(silhouette)
    if extent is None:
        left, top = 0, 0
        bottom, right = silhouette.shape
        side: float = max(bottom, right)
    else:
        left, top, right, bottom = bounding_box(silhouette)
        side = max(bottom - top, right - left) / extent
    x, y, half = (left + right) / 2, (top + bottom) / 2, side / 2
    return x - half, y - half, x + half, y + half


def _check(silhouette: np.ndarray) -> np.ndarray:
    """Return a silhouette as bool [H, W]; see `frame`."""
    shape = np.shape(silhouette)
    if len(shape) != 2:
        fix = " by silhouette[..., 0]" if len(shape) == 3 and shape[-1] == 1 else ""
        raise ValueError(f"a silhouette must be [H, W], not {list(shape)}: pass one channel{fix}")
    fix = "pass mask > 127 if it goes from 0 to 255"
    silhouette = arrays.as_shares(silhouette, "a silhouette", fix) >= 0.5
    if not silhouette.any():
        raise ValueError("the silhouette is empty: pass one that is True where the object is")
    return silhouette


def resample(channel: np.ndarray, window: Window, size: int) -> np.ndarray:
    """Average a square of an image, uint8 or float32 [H, W], to [size, size] of the same type.

    The image counts as 0 beyond its edges.
    """
    # Pillow reads only inside an image, so the image is padded until it holds the square.
    pad = int(np.ceil(window[2] - window[0]))
    padded = Image.fromarray(np.pad(channel, pad))
    left, top, right, bottom = (edge + pad for edge in window)
    box = (left, top, right, bottom)
    return np.asarray(padded.resize((size, size), Image.Resampling.BOX, box=box))


def bounding_box(silhouette: np.ndarray) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom), the last two exclusive, of a silhouette, bool [H, W]."""
    box = Image.fromarray(silhouette.astype(np.uint8)).getbbox()  # None only for empty images
    return cast(tuple[int, int, int, int], box)


def extent(masks: np.ndarray) -> float:
    """Measure how large objects are in their masks [M, S, S, 1].

    Returns:
      Median over the masks of the longer side of the object's bounding box, as a share of S.
      Empty masks do not count; 1 if there are no others.
    """
    boxes = [bounding_box(mask[..., 0] > 0) for mask in masks if mask.any()]
    sides = [max(bottom - top, right - left) for left, top, right, bottom in boxes]
    return float(np.median(sides) / masks.shape[1]) if sides else 1.0
