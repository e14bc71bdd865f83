"""Silhouettes of objects in image files."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.images import (
    image_files,
    label_maps,
    natural_background,
    plain_background,
    silhouette_warnings,
)
from ptn_semi.shapes import components
from ptn_semi.utils.errors import UserError

_MAX_SIDE = 2048  # pixels; larger images are scaled down, as masks have only 32 to 512
_OPAQUE = 0.02  # share of transparent pixels, up to which an image counts as opaque
_UNCLEAR = 0.2  # a mask's border that is this close to half and half does not say what it shows
_MIN_OBJECT, _MAX_OBJECT = 5e-4, 0.95  # share of the image that an object may cover


class Found(NamedTuple):
    """An image and the object in it."""

    image: np.ndarray  # on white, uint8 [H, W, 3]
    silhouette: np.ndarray  # bool [H, W]
    warnings: tuple[str, ...]  # why the silhouette may be wrong, in words


def read(path: str | os.PathLike, segment: str = "auto", label: int | None = None) -> Found:
    """Read a file in one of `image_files.FORMATS` and find the silhouette in it, as `find` does.

    Raises:
      UserError: if the file cannot be read, is too large, or shows no usable silhouette.
    """
    return find(image_files.read(path), path, segment, label)


def find(
    image: Image.Image,
    name: str | os.PathLike,
    segment: str = "auto",
    label: int | None = None,
) -> Found:
    """Find the silhouette of the object in an image.

    If the background is transparent, the rest is the object. An opaque image of two greys is a
    mask, and what its border mostly shows is its background. An image of a few small numbers is a
    mask of labels; see `label_maps`. Any other opaque image is a photograph.

    Args:
      image: the image, in any mode.
      name: the image's name in error messages.
      segment: how to find the object in a photograph: "plain" by the colours of its plain
        background, "model" by a network, "auto" by the colours and, where the background is not
        plain and the network is installed, by the network. A network that cannot be used is one
        more warning.
      label: the number that a mask of labels has where the object is; None for the only one.

    Returns:
      The image and the silhouette. An image of more than 2,048 pixels in height or width is scaled
      down by a whole number.

    Raises:
      UserError: if it shows no usable silhouette.
    """
    if image.info.get(image_files.ANIMATED):
        name = f"the first frame of {name}"
    pixels, clear = _read_pixels(image, name)
    is_cutout = clear.mean() > _OPAQUE
    labeled = None if is_cutout and label is None else label_maps.find(image, name, label)
    warnings: tuple[str, ...] = ()
    if labeled is not None:
        step = _reduction(image)
        silhouette = components.keep_large(labeled[::step, ::step], plain_background.SPECK)
    elif is_cutout:
        silhouette = components.keep_large(~clear, plain_background.SPECK)
    elif (light := _find_lighter_grey(pixels)) is not None:
        border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]).mean()
        silhouette = components.keep_large(light != (border > 0.5), plain_background.SPECK)
        if abs(border - 0.5) < _UNCLEAR:
            warnings = (silhouette_warnings.TWO_COLORS,)
    else:
        if clear.any():  # such as rounded corners, which get the nearest colour
            nearest = ndimage.distance_transform_edt(
                clear, return_distances=False, return_indices=True
            )
            pixels = pixels[tuple(nearest)]
        silhouette, warnings = _segment(pixels, name, segment)
    share = silhouette.mean()
    if share < _MIN_OBJECT:
        raise UserError(f"{name} shows no object: it is all background")
    if share > _MAX_OBJECT:
        raise UserError(f"{name} shows no outline: the object fills it")
    several = silhouette_warnings.SEVERAL_OBJECTS
    if several not in warnings and silhouette_warnings.has_several_objects(silhouette):
        warnings = (*warnings, several)
    return Found(pixels, silhouette, warnings)


def _read_pixels(image: Image.Image, name: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Return an image on white, uint8 [H, W, 3], and where it is transparent, bool [H, W]."""
    if image.mode == "F":
        raise UserError(f"{name} stores colours as fractions: {image_files.FIX}")
    if image.mode.startswith("I"):  # 16-bit grey, of which cameras and tools use a part
        values = np.clip(np.asarray(image), 0, 65535)
        image = Image.fromarray((values * (255 / max(values.max(), 1))).astype(np.uint8))
    image = image.convert("RGBA")
    image = image.reduce(_reduction(image))
    on_white = Image.new("RGBA", image.size, "white")
    on_white.alpha_composite(image)
    return np.asarray(on_white.convert("RGB")), np.asarray(image.getchannel("A")) < 128


def _reduction(image: Image.Image) -> int:
    """Return how many pixels of an image, in both directions, become one."""
    return -(-max(image.size) // _MAX_SIDE)


def _find_lighter_grey(pixels: np.ndarray) -> np.ndarray | None:
    """Return where an image of two greys has the lighter one, bool [H, W]; None for others."""
    grey = pixels[..., 0]
    light, dark = grey == grey.max(), grey == grey.min()
    is_mask = (pixels == grey[..., None]).all() and (light != dark).all()
    return light if is_mask else None


def _segment(
    pixels: np.ndarray, name: str | os.PathLike, segment: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the silhouette in a photograph and why it may be wrong."""
    use_network = segment == "model" or (segment == "auto" and natural_background.is_installed())
    found = None if segment == "model" else plain_background.segment(pixels)
    if found is not None:
        silhouette, warnings = found
        if not use_network or silhouette_warnings.NOT_PLAIN not in warnings:
            return silhouette, warnings
    elif not use_network:
        install = ", or find objects by a network: pip install 'ptn_semi[photos]'"
        raise UserError(
            f"{name} has no plain background that an object stands out from: give an image "
            f"whose background is transparent, or a mask{install if segment == 'auto' else ''}"
        )
    try:
        better = natural_background.segment(pixels)
    except UserError as error:
        if found is None:
            raise
        return silhouette, (*warnings, str(error))
    return components.keep_large(better, plain_background.SPECK), ()
