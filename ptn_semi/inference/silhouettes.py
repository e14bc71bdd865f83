"""Silhouettes from image files, framed as the masks that models are trained on."""

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError
from scipy import ndimage

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

# Pillow reads dozens of formats more, one by running another program.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_PIXELS = 50_000_000
_MAX_BYTES = 256 << 20
_LONGEST = 32768  # pixels; each row of a file takes memory
_MAX_SIDE = 2048  # pixels in which a silhouette is looked for; masks have 32 to 512
_MEND = "give a PNG or JPEG"
_TOLERANCE = 40  # of 255, that a plain background may vary by, as JPEG makes it
_PLAIN = 0.8  # share of the border that has the background's colour
_SPECK = 0.02  # share of the largest part's area under which others are dropped
_SMALLEST, _LARGEST = 5e-4, 0.95  # share of the image that an object covers


def read(path):
    """The silhouette that an image file shows; see `find`.

    Of several frames the first counts, and a turn that a camera noted is not made.

    Raises:
      UserError: the file cannot be read, is too large, or shows no usable silhouette.
    """
    data = files.read(path, _MAX_BYTES, _MEND)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's; what is wrong is raised
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS or max(image.size) > _LONGEST:
                raise UserError(
                    f"{path} has {image.width} × {image.height} pixels: scale it down to "
                    f"{MAX_PIXELS // 10**6} million, {_LONGEST:,} a side"
                )
            image.verify()  # a PNG's checksums, which loading leaves out
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"{path} has too many pixels: scale it down") from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path} cannot be read (it is none of {', '.join(FORMATS)}): {_MEND}"
        ) from error
    except Exception as error:  # parsers raise anything at all on damaged files
        raise UserError(f"{path} is damaged ({error}): {_MEND}") from error
    return find(image, path)


def find(image, name):
    """The silhouette in an image.

    An alpha channel is taken at its word. Otherwise the border's colour is the background, be it a
    mask's black or white or a studio's grey, and what differs from it is the object.

    Args:
      image: a `PIL.Image.Image`.
      name: what errors call it.

    Returns:
      The image, uint8 [H, W, 3] on white, and the silhouette, bool [H, W]. An image over 2,048
      pixels high or wide is scaled down by a whole number.

    Raises:
      UserError: it shows no usable silhouette.
    """
    if image.mode == "F":
        raise UserError(f"{name} has fractions for colours: {_MEND}")
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip to 8 bits
        image = Image.fromarray((np.clip(np.asarray(image), 0, 65535) // 257).astype(np.uint8))
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    if max(image.size) > _MAX_SIDE:
        image = image.reduce(-(-max(image.size) // _MAX_SIDE))
    alpha = np.asarray(image.getchannel("A"))
    shown = Image.new("RGBA", image.size, "white")
    shown.alpha_composite(image)
    shown = np.asarray(shown.convert("RGB"))
    if has_alpha and alpha.min() < 128:
        silhouette = alpha >= 128
    else:
        silhouette = _before_plain_background(name, shown)
    return shown, _checked(name, _without_specks(silhouette))


def _before_plain_background(name, pixels):
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


def _without_specks(silhouette):
    parts, count = ndimage.label(silhouette, np.ones((3, 3)))
    if count < 2:
        return silhouette
    area = np.bincount(parts.ravel())
    area[0] = 0
    return (area >= _SPECK * area.max())[parts] & silhouette


def _checked(name, silhouette):
    share = silhouette.mean()
    if share < _SMALLEST:
        raise UserError(f"{name} shows no object: it is all background")
    if share > _LARGEST:
        raise UserError(f"{name} shows no outline: the object fills it")
    return silhouette
