"""Silhouettes: found in all kinds of images, and refused in a sentence where they are unusable."""

import os

import numpy as np
import pytest
from PIL import Image

from ptn_semi.images import silhouette_warnings, silhouettes
from ptn_semi.utils.errors import UserError

OBJECT = np.zeros([60, 80], bool)
OBJECT[10:50, 20:40] = OBJECT[40:50, 20:60] = True  # an L
CORNERS = np.ix_([0, 1, -2, -1], [0, 1, -2, -1])


def colored(color, background):
    return np.where(OBJECT[..., None], color, background).astype(np.uint8)


def with_clear(pixels, where):
    pixels[where] = 0
    return pixels


NOISE = np.random.default_rng(0).integers(0, 256, [60, 80, 3]).astype(np.uint8)
IMAGES = {
    "transparent": colored([90, 90, 90, 255], [90, 90, 90, 0]),
    "opaque with alpha": colored([10, 10, 10, 255], 255),
    "one transparent pixel": with_clear(colored([150, 90, 40, 255], 255), (0, 0)),
    "rounded corners": with_clear(colored([150, 90, 40, 255], [30, 30, 36, 255]), CORNERS),
    "white on black": OBJECT.astype(np.uint8) * 255,
    "black on white": 255 - OBJECT.astype(np.uint8) * 255,
    "zeros and ones": OBJECT.astype(np.uint8),
    "16 bits": OBJECT.astype(np.uint16) * 40_000,
    "small values in 16 bits": OBJECT.astype(np.uint16) * 255,
    "numbers beyond colours": np.where(OBJECT, 70_000, -5).astype(np.int32),
    "a little lighter than grey": colored([232, 230, 226], 250),
    "noise": np.where(OBJECT[..., None], np.uint8([180, 60, 40]), 195 + NOISE // 17),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_silhouettes_are_found(tmp_path, kind):
    Image.fromarray(IMAGES[kind]).save(tmp_path / "image.tif")
    image, silhouette, warnings = silhouettes.read(tmp_path / "image.tif")
    assert image.shape == (*OBJECT.shape, 3) and not warnings
    np.testing.assert_array_equal(silhouette, OBJECT)


def find(array):
    return silhouettes.find(Image.fromarray(array), "image")


def test_palettes_may_have_a_transparent_colour(tmp_path):
    image = Image.fromarray(OBJECT.astype(np.uint8))
    image.putpalette([0, 0, 0, 200, 30, 30])
    image.save(tmp_path / "palette.png", transparency=0)
    np.testing.assert_array_equal(silhouettes.read(tmp_path / "palette.png").silhouette, OBJECT)


def test_objects_may_touch_a_side_and_specks_are_dropped():
    found = find(colored([120, 70, 30], 255)[5:55, 20:70])
    np.testing.assert_array_equal(found.silhouette, OBJECT[5:55, 20:70])
    assert not found.warnings
    speckled = OBJECT.copy()
    speckled[2, 70] = True
    np.testing.assert_array_equal(find(speckled.astype(np.uint8) * 255).silhouette, OBJECT)


def test_a_mask_whose_border_is_half_and_half_gives_a_warning():
    mask = np.zeros([60, 80], np.uint8)
    mask[:, :35] = 255
    assert find(mask).warnings
    mask[:, 10:35] = 0
    assert not find(mask).warnings


@pytest.mark.parametrize("kind", ["mask", "cut-out", "labels"])
def test_two_objects_give_a_warning(kind):
    two = OBJECT.copy()
    two[10:50, 70:78] = True
    images = {
        "mask": two.astype(np.uint8) * 255,
        "cut-out": np.dstack([NOISE, two.astype(np.uint8) * 255]),
        "labels": np.where(NOISE[..., 0] == 0, 255, two).astype(np.uint8),
    }
    found = find(images[kind])
    assert found.warnings == (silhouette_warnings.SEVERAL_OBJECTS,)


def save_frames(path, *frames):
    first, *others = [Image.fromarray(frame.astype(np.uint8) * 255) for frame in frames]
    first.save(path, save_all=True, append_images=others)


def test_of_an_animation_the_first_frame_counts(tmp_path):
    path = tmp_path / "a.gif"
    save_frames(path, OBJECT, ~OBJECT)
    np.testing.assert_array_equal(silhouettes.read(path).silhouette, OBJECT)
    save_frames(path, np.zeros_like(OBJECT), OBJECT)
    with pytest.raises(UserError, match=rf"^the first frame of {path} shows no object"):
        silhouettes.read(path)


def test_large_images_are_scaled_down():
    large = np.kron(OBJECT, np.ones([50, 50], bool))  # 3000 × 4000
    found = find(large.astype(np.uint8) * 255)
    assert found.image.shape == (1500, 2000, 3)
    np.testing.assert_array_equal(found.silhouette, large[::2, ::2])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (Image.new("L", (50, 50)), "no object"),
        (Image.new("RGBA", (50, 50), (9, 9, 9, 0)), "no object"),
        (Image.fromarray(NOISE), r"no plain background .*ptn_semi\[photos\]"),
        (Image.fromarray(np.where(OBJECT, np.nan, 1).astype(np.float32)), "colours as fractions"),
    ],
)
def test_unusable_images_are_refused(image, said):
    with pytest.raises(UserError, match=rf"^a\.png .*{said}"):
        silhouettes.find(image, "a.png")


def save(mode, size, kind="PNG"):
    return lambda path: Image.new(mode, size).save(path, kind)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "does not exist: correct the path"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_text("no image"), "cannot be read"),
        (save("L", (50, 50), "ICO"), "it is none of PNG"),
        (os.mkfifo, "is not a file"),  # a reader would wait for ever
        (lambda path: path.symlink_to("/dev/zero"), "is not a file"),
        (save("1", (20_000, 20_000)), "pixels"),
        (save("1", (8_000, 8_000)), "8000 × 8000 pixels"),
        (save("1", (40_000, 1)), "40000 × 1 pixels"),
    ],
)
def test_files_that_are_not_usable_images_are_named(tmp_path, make, said):
    make(tmp_path / "a.png")
    with pytest.raises(UserError, match=rf"^{tmp_path}/a\.png .*{said}"):
        silhouettes.read(tmp_path / "a.png")


def test_names_that_are_not_utf8_are_refused_in_printable_words(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\nb.png")
    with pytest.raises(UserError, match="name that is not UTF-8") as caught:
        silhouettes.read(path)
    assert f"{tmp_path}/a\\udcff\\nb.png" in str(caught.value)
    assert str(caught.value).isprintable()
