"""Image files, read upright."""

import io
import os
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

# Pillow reads dozens of other formats too, one of them by running another program.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
FIX = "give a PNG or JPEG"
MAX_PIXELS = 50_000_000
ANIMATED = "animated"  # key of an image's `info`: whether its file has more frames than this one
_MAX_BYTES = 256 << 20
_MAX_SIDE = 32768  # pixels; decoding takes memory for every row
_NO_IMAGES = {  # first bytes of other files that have the names of images
    b"version https://git-lfs": "is a Git LFS pointer, not the image: run 'git lfs pull'",
    b"\x00\x05\x16\x07": "is metadata that macOS keeps of a file: give the file without '._'",
}
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_PNG, _JPEG, _END_OF_JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd9"


def read(path: str | os.PathLike) -> Image.Image:
    """Read the first frame of a file in one of `FORMATS`, turned upright as its EXIF data says.

    Raises:
      UserError: if the file cannot be read or is too large.
    """
    data = files.read(path, _MAX_BYTES, FIX)
    for start, meaning in _NO_IMAGES.items():
        if data.startswith(start):
            raise UserError(f"{path} {meaning}")
    data = _without_damaged_text(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's; real problems raise errors
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS or max(image.size) > _MAX_SIDE:
                raise UserError(
                    f"{path} has {image.width} × {image.height} pixels: scale it down to at most "
                    f"{MAX_PIXELS // 10**6} million in all and {_MAX_SIDE:,} on a side"
                )
            data = _with_end_marker(data)
            Image.open(io.BytesIO(data), formats=FORMATS).verify()  # a PNG's checksums
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
            image.info[ANIMATED] = getattr(image, "is_animated", False)
            return ImageOps.exif_transpose(image)
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise UserError(f"{path} has too many pixels: scale it down") from error
    except UnidentifiedImageError as error:
        formats = ", ".join(FORMATS)
        raise UserError(f"{path} cannot be read (it is none of {formats}): {FIX}") from error
    except Exception as error:  # parsers raise all kinds of errors on damaged files
        raise UserError(f"{path} is damaged ({error}): {FIX}") from error


def _without_damaged_text(data: bytes) -> bytes:
    """Return a PNG without the chunks of text whose checksums are wrong; Pillow refuses those."""
    if not data.startswith(_PNG):
        return data
    kept, at = [_PNG], len(_PNG)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big") + 12
        chunk = data[at : at + size]
        is_sound = zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if is_sound or chunk[4:8] not in _TEXT:
            kept.append(chunk)
        at += size
    return b"".join(kept)


def _with_end_marker(data: bytes) -> bytes:
    """Add its end marker to a JPEG if nothing else is missing."""
    if not data.startswith(_JPEG) or data.rstrip(b"\0").endswith(_END_OF_JPEG):
        return data
    # What follows the last block of pixels is skipped. If it changes pixels, blocks are missing.
    whole, other = (
        np.asarray(Image.open(io.BytesIO(data + more + _END_OF_JPEG), formats=["JPEG"]))
        for more in (b"", b"\x55" * 64)
    )
    return data + _END_OF_JPEG if np.array_equal(whole, other) else data
