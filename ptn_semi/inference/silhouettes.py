"""Silhouettes of objects in image files."""

import io
import os
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError
from scipy import ndimage

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

# Pillow reads dozens of other formats too, one of them by running another program.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_PIXELS = 50_000_000
_MAX_BYTES = 256 << 20
_LONGEST = 32768  # pixels; decoding takes memory for every row
_MAX_SIDE = 2048  # pixels; larger images are scaled down, as masks have only 32 to 512
_FIX = "give a PNG or JPEG"
_TOLERANCE = 40  # of 255; JPEG lets a plain background vary by as much
_PLAIN = 0.8  # smallest share of the border that must have the background's colour
_SPECK = 0.02  # parts with less than this share of the largest part's area are dropped
_SMALLEST, _LARGEST = 5e-4, 0.95  # share of the image that an object may cover


def read(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Read an image file and find the silhouette in it.

    Only the first frame of a file is used. The orientation that a camera recorded is ignored.

    Args:
      path: a file in one of `FORMATS`.

    Returns:
      The image and the silhouette, as `find` returns them.

    Raises:
      UserError: if the file cannot be read, is too large, or shows no usable silhouette.
    """
    data = files.read(path, _MAX_BYTES, _FIX)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's; real problems raise errors
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS or max(image.size) > _LONGEST:
                raise UserError(
                    f"{path} has {image.width} × {image.height} pixels: scale it down to at most "
                    f"{MAX_PIXELS // 10**6} million in all and {_LONGEST:,} on a side"
                )
            image.verify()  # checks a PNG's checksums, which loading does not
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"{path} has too many pixels: scale it down") from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path} cannot be read (it is none of {', '.join(FORMATS)}): {_FIX}"
        ) from error
    except Exception as error:  # parsers raise all kinds of errors on damaged files
        raise UserError(f"{path} is damaged ({error}): {_FIX}") from error
    return find(image, path)


def find(image: Image.Image, name: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Find the silhouette of the object in an image.

    A transparent background decides. In an opaque image, the colour of the border is taken as the
    background, such as the black of a mask or the grey of a studio, and everything that differs
    from it as the object.

    Args:
      image: the image, in any mode.
      name: the image's name in error messages.

    Returns:
      The image on white, uint8 [H, W, 3], and the silhouette, bool [H, W]. An image that is more
      than 2,048 pixels high or wide is scaled down by a whole number.

    Raises:
      UserError: if it shows no usable silhouette.
    """
    if image.mode == "F":
        raise UserError(f"{name} stores colours as fractions: {_FIX}")
    if image.mode.startswith("I"):  # 16-bit grey; Pillow would clip it to 8 bits
        image = Image.fromarray((np.clip(np.asarray(image), 0, 65535) // 257).astype(np.uint8))
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    if max(image.size) > _MAX_SIDE:
        image = image.reduce(-(-max(image.size) // _MAX_SIDE))
    alpha = np.asarray(image.getchannel("A"))
    on_white = Image.new("RGBA", image.size, "white")
    on_white.alpha_composite(image)
    shown = np.asarray(on_white.convert("RGB"))
    if has_alpha and alpha.min() < 128:
        silhouette = alpha >= 128
    else:
        silhouette = _before_plain_background(name, shown)
    return shown, _checked(name, _without_specks(silhouette))


def _before_plain_background(name: str | os.PathLike, pixels: np.ndarray) -> np.ndarray:
    """Return where pixels uint8 [H, W, 3] differ from the colour of the border, bool [H, W]."""
    pixels = pixels.astype(np.int16)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    background = np.median(border, axis=0)
    differs = lambda colors: np.abs(colors - background).max(axis=-1) > _TOLERANCE
    if differs(border).mean() > 1 - _PLAIN:
        raise UserError(
            f"{name} has no plain background that an object stands out from: give an image whose "
            "background is transparent, or a mask"
        )
    return differs(pixels)


def _without_specks(silhouette: np.ndarray) -> np.ndarray:
    """Drop the parts of a silhouette that are far smaller than its largest part."""
    parts, count = ndimage.label(silhouette, np.ones((3, 3)))
    if count < 2:
        return silhouette
    area = np.bincount(parts.ravel())
    area[0] = 0
    return (area >= _SPECK * area.max())[parts] & silhouette


def _checked(name: str | os.PathLike, silhouette: np.ndarray) -> np.ndarray:
    """Return a silhouette if the object covers neither too little of the image nor all of it."""
    share = silhouette.mean()
    if share < _SMALLEST:
        raise UserError(f"{name} shows no object: it is all background")
    if share > _LARGEST:
        raise UserError(f"{name} shows no outline: the object fills it")
    return silhouette
