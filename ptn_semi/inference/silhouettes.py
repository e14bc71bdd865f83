"""Silhouettes of objects in image files."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.inference import doubts, images, natural_background, plain_background
from ptn_semi.utils.errors import UserError

_MAX_SIDE = 2048  # pixels; larger images are scaled down, as masks have only 32 to 512
_CLEAR = 0.02  # share of transparent pixels, under which an image counts as opaque
_UNCLEAR = 0.2  # a mask's border that is so near to half and half does not say what it shows
_SMALLEST, _LARGEST = 5e-4, 0.95  # share of the image that an object may cover


class Found(NamedTuple):
    """An image and the object in it.

    Attributes:
      image: the image on white, uint8 [H, W, 3].
      silhouette: bool [H, W].
      doubts: why the silhouette may be wrong, in words; empty if nothing speaks against it.
    """

    image: np.ndarray
    silhouette: np.ndarray
    doubts: tuple[str, ...]


def read(path: str | os.PathLike, segment: str = "auto") -> Found:
    """Read an image file and find the silhouette in it.

    Args:
      path: a file in one of `images.FORMATS`.
      segment: how to find the object in a photograph; see `find`.

    Returns:
      The image and the silhouette; see `find`.

    Raises:
      UserError: if the file cannot be read, is too large, or shows no usable silhouette.
    """
    return find(images.read(path), path, segment)


def find(image: Image.Image, name: str | os.PathLike, segment: str = "auto") -> Found:
    """Find the silhouette of the object in an image.

    A transparent background decides. An opaque image of two greys is a mask, and what its border
    mostly shows is its background. Any other opaque image is a photograph.

    Args:
      image: the image, in any mode.
      name: the image's name in error messages.
      segment: how to find the object in a photograph: "plain" by the colours of its plain
        background, "model" by a network, "auto" by the colours and, where these leave a doubt and
        the network is installed, by the network. Where that cannot be used, it is a doubt more.

    Returns:
      The image and the silhouette. An image that is more than 2,048 pixels high or wide is scaled
      down by a whole number.

    Raises:
      UserError: if it shows no usable silhouette.
    """
    if image.mode == "F":
        raise UserError(f"{name} stores colours as fractions: {images.FIX}")
    if image.mode.startswith("I"):  # 16-bit grey, of which cameras and tools use a part
        values = np.clip(np.asarray(image), 0, 65535)
        image = Image.fromarray((values * (255 / max(values.max(), 1))).astype(np.uint8))
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    if max(image.size) > _MAX_SIDE:
        image = image.reduce(-(-max(image.size) // _MAX_SIDE))
    clear = np.asarray(image.getchannel("A")) < 128
    on_white = Image.new("RGBA", image.size, "white")
    on_white.alpha_composite(image)
    shown = np.asarray(on_white.convert("RGB"))
    said: tuple[str, ...] = ()
    if has_alpha and clear.mean() > _CLEAR:
        silhouette = plain_background.without_specks(~clear)
    elif (light := _lighter_of_two_greys(shown)) is not None:
        border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]).mean()
        silhouette = plain_background.without_specks(light != (border > 0.5))
        if abs(border - 0.5) < _UNCLEAR:
            said = (doubts.TWO_COLORS,)
    else:
        if clear.any():  # rounded corners: they get the colour beside them
            nearest = ndimage.distance_transform_edt(
                clear, return_distances=False, return_indices=True
            )
            shown = shown[tuple(nearest)]
        silhouette, said = _photographed(shown, name, segment)
    return Found(shown, _checked(name, silhouette), said)


def _photographed(
    pixels: np.ndarray, name: str | os.PathLike, segment: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the silhouette in a photograph and what speaks against it."""
    network = segment == "model" or (segment == "auto" and natural_background.is_installed())
    found = None if segment == "model" else plain_background.segment(pixels)
    if found is not None and not (network and found.doubts):
        return found.silhouette, found.doubts
    if not network:
        install = f", or find objects by a network: {natural_background.INSTALL}"
        raise UserError(
            f"{name} has no plain background that an object stands out from: give an image "
            f"whose background is transparent, or a mask{install if segment == 'auto' else ''}"
        )
    try:
        silhouette = plain_background.without_specks(natural_background.segment(pixels))
    except UserError as error:
        if found is None:
            raise
        return found.silhouette, (*found.doubts, str(error))
    return silhouette, (doubts.SEVERAL,) if doubts.are_several(silhouette) else ()


def _lighter_of_two_greys(pixels: np.ndarray) -> np.ndarray | None:
    """Return where an image of two greys has the lighter one, bool [H, W]; None for others."""
    grey = pixels[..., 0]
    light, dark = grey == grey.max(), grey == grey.min()
    is_mask = (pixels == grey[..., None]).all() and (light != dark).all()
    return light if is_mask else None


def _checked(name: str | os.PathLike, silhouette: np.ndarray) -> np.ndarray:
    """Return a silhouette if the object covers neither too little of the image nor all of it."""
    share = silhouette.mean()
    if share < _SMALLEST:
        raise UserError(f"{name} shows no object: it is all background")
    if share > _LARGEST:
        raise UserError(f"{name} shows no outline: the object fills it")
    return silhouette
