"""Masks that hold the number of a class or an object at each pixel, as data sets have them.

0 is the background; where it is missing, what the image's border mostly shows. Pixels of 255 are
undecided, as around the objects of Pascal VOC, and count as background. So do the pixels of 3 in
the trimaps of Oxford-IIIT Pets, where 1 is the object and 2 is the background.
"""

import os

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.utils.errors import UserError

_UNDECIDED = 255
_MAX_LABEL = 90  # of COCO; greys above it are those of a picture
_MAX_COUNT = 32  # a picture has more greys
_SPECK = 0.02  # share of the largest label's area, below which a label does not count
_MAX_BORDER = 16  # pixels
_TRIMAP = (1, 2, 3)  # object, background, undecided


def find(
    image: Image.Image, name: str | os.PathLike, label: int | None = None
) -> np.ndarray | None:
    """Return where an image of labels shows the object, bool [H, W]; None for other images.

    Grey images of more than two small numbers are taken for images of labels, and so are images of
    the palette that Pascal VOC uses.

    Args:
      image: the image, in any mode.
      name: the image's name in error messages.
      label: the label of the object. Any grey image or image of a palette is then taken for one of
        labels. None for the only one.

    Raises:
      UserError: if it holds several labels and none is chosen, or the chosen one is not there.
    """
    labels = _read_labels(image, chosen=label is not None)
    if labels is None:
        if label is not None:
            raise UserError(f"{name} holds colours and no labels: leave out --label")
        return None
    values, areas = np.unique(labels, return_counts=True)
    if label is not None:
        if label not in values:
            raise UserError(f"{name} does not hold the label {label}: choose from {_join(values)}")
        return labels == label
    # Of two greys, either may be the object.
    may_be_labels = 2 < len(values) <= _MAX_COUNT or image.mode == "P"
    is_label = values != _UNDECIDED
    if not may_be_labels or values[is_label].max(initial=0) > _MAX_LABEL:
        return None
    background = 0 if 0 in values else _most_common_on_border(labels)
    is_object = is_label & (values != background)
    if tuple(values) == _TRIMAP and background != _TRIMAP[0]:
        is_object[2] = False
    undecided, decided = labels == _UNDECIDED, areas[is_object].sum()
    if undecided.sum() > decided and not _is_thin(undecided):
        return None
    is_object &= areas >= _SPECK * areas[is_object].max(initial=0)
    found = values[is_object]
    if len(found) > 1:
        raise UserError(
            f"{name} holds the labels {_join(found)}: choose one, for example --label={found[0]}"
        )
    return np.isin(labels, found)


def _read_labels(image, chosen):
    """Return the numbers of an image, int [H, W]; None if they are colours."""
    if image.mode == "P" and (chosen or _has_voc_palette(image)):
        return np.asarray(image).astype(int)
    is_grey = image.mode in ("1", "L") or image.mode.startswith("I")
    return np.asarray(image).astype(int) if is_grey else None


def _is_thin(undecided):
    """Return whether a region is nowhere wider than the border of an object."""
    return ndimage.distance_transform_edt(np.pad(undecided, 1)).max() <= _MAX_BORDER / 2


def _has_voc_palette(image):
    """Return whether each number has the colour that Pascal VOC gives it.

    The bits of the number, three at a time, become the highest bits of red, green and blue.
    """
    palette = np.reshape(image.getpalette("RGB"), [-1, 3])
    used = np.unique(np.asarray(image))
    used = used[used != _UNDECIDED]
    bits = (used[:, None, None] >> (3 * np.arange(8) + np.arange(3)[:, None])) & 1
    colors = (bits << np.arange(7, -1, -1)).sum(axis=-1)
    return used.max(initial=0) < len(palette) and np.array_equal(palette[used], colors)


def _most_common_on_border(labels):
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    values, counts = np.unique(border, return_counts=True)
    return values[counts.argmax()]


def _join(values):
    texts = list(map(str, values[:_MAX_COUNT]))
    *others, last = texts if len(values) <= _MAX_COUNT else [*texts, "others"]
    return f"{', '.join(others)} and {last}" if others else last
