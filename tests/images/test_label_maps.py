"""Masks that hold the number of a class or an object at each pixel."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ptn_semi.images import silhouettes
from ptn_semi.utils.errors import UserError

OBJECT = np.zeros([120, 160], bool)
OBJECT[20:100, 40:80] = OBJECT[80:100, 40:120] = True  # an L
RIM = ndimage.binary_dilation(OBJECT, iterations=3) & ~OBJECT
BAR = np.zeros_like(OBJECT)
BAR[5:12, 20:140] = True
VOC = {0: (0, 0, 0), 9: (192, 0, 0), 20: (0, 64, 128), 255: (224, 224, 192)}


def labels(*, rim=255, other=None, label=9, background=0):
    other = background if other is None else other
    return np.select([OBJECT, RIM, BAR], [label, rim, other], background).astype(np.uint8)


def with_voc_palette(array):
    image = Image.fromarray(array).convert("P")
    image.putdata(array.ravel())
    palette = np.zeros([256, 3], np.uint8)
    palette[list(VOC)] = list(VOC.values())
    image.putpalette(palette.tobytes())
    return image


def find(image, label=None):
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    return silhouettes.find(image, "a.png", label=label)


@pytest.mark.parametrize(
    "image",
    [
        labels(),
        labels().astype(np.uint16),
        labels(rim=3, label=1, background=2),
        with_voc_palette(labels()),
        with_voc_palette(labels(rim=0)),
    ],
    ids=["border of 255", "16 bits", "trimap", "palette", "palette without a border"],
)
def test_the_only_label_is_the_object(image):
    found = find(image)
    np.testing.assert_array_equal(found.silhouette, OBJECT)
    assert not found.warnings


@pytest.mark.parametrize("convert", [Image.fromarray, with_voc_palette], ids=["grey", "palette"])
def test_of_several_labels_one_is_chosen(convert):
    image = convert(labels(other=20))
    said = r"^a\.png holds the labels 9 and 20: choose one, for example --label=9$"
    with pytest.raises(UserError, match=said):
        find(image)
    np.testing.assert_array_equal(find(image, 9).silhouette, OBJECT)
    np.testing.assert_array_equal(find(image, 20).silhouette, BAR)
    with pytest.raises(UserError, match=r"not hold the label 5: choose from 0, 9, 20 and 255$"):
        find(image, 5)


def test_numbers_of_objects_are_labels():
    with pytest.raises(UserError, match="the labels 1, 2 and 3"):
        find(np.select([OBJECT, RIM, BAR], [1, 2, 3], 0).astype(np.uint8))


def test_few_stray_pixels_are_not_an_object():
    image = labels()
    image[2, 3:6] = 20
    np.testing.assert_array_equal(find(image).silhouette, OBJECT)


def test_photographs_hold_no_labels():
    with pytest.raises(UserError, match=r"^a\.png holds colours and no labels: leave out --label"):
        find(np.zeros([40, 50, 3], np.uint8), 9)


@pytest.mark.parametrize("greys", [(0, 128, 255), (255, 30, 70), (0, 40, 255)])
def test_greys_of_pictures_are_not_labels(greys):
    background, inside, outside = greys
    whole = OBJECT | RIM
    inner = ndimage.binary_erosion(OBJECT, iterations=12)
    image = np.select([inner, whole], [inside, outside], background).astype(np.uint8)
    np.testing.assert_array_equal(find(image).silhouette, whole)


def test_large_masks_are_scaled_down():
    found = find(np.kron(labels(), np.ones([20, 20], np.uint8)))
    assert found.image.shape == (1200, 1600, 3)
    np.testing.assert_array_equal(found.silhouette, OBJECT.repeat(10, 0).repeat(10, 1))
