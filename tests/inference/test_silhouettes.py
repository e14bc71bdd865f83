"""Silhouettes: found in all kinds of images, framed as training masks, refused when unusable."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ptn_semi.data import framing
from ptn_semi.inference import silhouettes
from ptn_semi.utils.errors import UserError

OBJECT = np.zeros([60, 80], bool)
OBJECT[10:50, 20:40] = True
OBJECT[40:50, 20:60] = True  # an L


def saved(tmp_path, array, name="image.png", mode=None):
    Image.fromarray(array, mode).save(tmp_path / name)
    return tmp_path / name


def rgba(tmp_path):
    pixels = np.full([*OBJECT.shape, 4], 90, np.uint8)
    pixels[..., 3] = OBJECT * 255
    return saved(tmp_path, pixels)


def white_on_black(tmp_path):
    return saved(tmp_path, OBJECT.astype(np.uint8) * 255)


def black_on_white(tmp_path):
    return saved(tmp_path, 255 - OBJECT.astype(np.uint8) * 255)


def jpeg_before_grey(tmp_path):
    pixels = np.random.default_rng(0).integers(195, 210, [*OBJECT.shape, 3]).astype(np.uint8)
    pixels[OBJECT] = [180, 60, 40]
    return saved(tmp_path, pixels, "photo.jpg")


def palette_with_transparency(tmp_path):
    image = Image.fromarray(OBJECT.astype(np.uint8))
    image.putpalette([0, 0, 0, 200, 30, 30])
    image.save(tmp_path / "palette.png", transparency=0)
    return tmp_path / "palette.png"


def grey_of_16_bits(tmp_path):
    return saved(tmp_path, OBJECT.astype(np.uint16) * 40_000)


def small_values_in_16_bits(tmp_path):
    return saved(tmp_path, OBJECT.astype(np.uint16) * 255)


def zeros_and_ones(tmp_path):
    return saved(tmp_path, OBJECT.astype(np.uint8))


def one_transparent_pixel(tmp_path):
    pixels = np.full([*OBJECT.shape, 4], 255, np.uint8)
    pixels[OBJECT, :3] = [150, 90, 40]
    pixels[0, 0, 3] = 0
    return saved(tmp_path, pixels)


def rounded_corners_of_a_dark_screenshot(tmp_path):
    pixels = np.full([*OBJECT.shape, 4], [30, 30, 36, 255], np.uint8)
    pixels[OBJECT, :3] = [150, 90, 40]
    pixels[np.ix_([0, 1, -2, -1], [0, 1, -2, -1])] = 0
    return saved(tmp_path, pixels)


def a_little_lighter_than_grey(tmp_path):
    pixels = np.full([*OBJECT.shape, 3], 250, np.uint8)
    pixels[OBJECT] = [232, 230, 226]
    return saved(tmp_path, pixels)


def touching_a_side(tmp_path):
    pixels = np.full([*OBJECT.shape, 3], 255, np.uint8)
    pixels[OBJECT] = [120, 70, 30]
    return saved(tmp_path, pixels[5:55, 20:70])


@pytest.mark.parametrize(
    "make",
    [
        rgba,
        white_on_black,
        black_on_white,
        jpeg_before_grey,
        palette_with_transparency,
        grey_of_16_bits,
        small_values_in_16_bits,
        zeros_and_ones,
        one_transparent_pixel,
        rounded_corners_of_a_dark_screenshot,
        a_little_lighter_than_grey,
        touching_a_side,
    ],
)
def test_silhouettes_are_found(tmp_path, make):
    expected = OBJECT[5:55, 20:70] if make is touching_a_side else OBJECT
    image, silhouette, doubts = silhouettes.read(make(tmp_path))
    assert image.shape == (*expected.shape, 3) and not doubts
    # JPEG blurs by a pixel.
    assert (silhouette != expected).mean() < (0.03 if make is jpeg_before_grey else 1e-9)


def test_masks_whose_border_is_half_and_half_are_doubtful(tmp_path):
    mask = np.zeros([60, 80], np.uint8)
    mask[:, :35] = 255
    assert silhouettes.read(saved(tmp_path, mask)).doubts
    mask[:, 10:35] = 0
    assert not silhouettes.read(saved(tmp_path, mask)).doubts


def test_specks_are_dropped(tmp_path):
    speckled = OBJECT.copy()
    speckled[2, 70] = True
    _, silhouette, _ = silhouettes.read(saved(tmp_path, speckled.astype(np.uint8) * 255))
    np.testing.assert_array_equal(silhouette, OBJECT)


def test_opaque_images_with_alpha_are_looked_at(tmp_path):
    pixels = np.full([*OBJECT.shape, 4], 255, np.uint8)
    pixels[OBJECT, :3] = 10
    _, silhouette, _ = silhouettes.read(saved(tmp_path, pixels))
    np.testing.assert_array_equal(silhouette, OBJECT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_text("no image"), "cannot be read"),
        (lambda path: Image.new("L", (50, 50)).save(path), "no object"),
        (lambda path: Image.new("L", (50, 50), 255).save(path), "no object"),
        (lambda path: Image.new("RGBA", (50, 50), (9, 9, 9, 0)).save(path), "no object"),
        (lambda path: Image.new("1", (20_000, 20_000)).save(path), "pixels"),
        (lambda path: Image.new("1", (8_000, 8_000)).save(path), "8000 × 8000 pixels"),
        (
            lambda path: Image.fromarray(
                np.random.default_rng(0).integers(0, 256, [40, 40, 3], np.uint8)
            ).save(path),
            "no plain background",
        ),
    ],
)
def test_unusable_images_are_refused(tmp_path, content, said):
    path = tmp_path / "image.png"
    content(path)
    with pytest.raises(UserError, match=said) as caught:
        silhouettes.read(path)
    assert str(path) in str(caught.value)


def test_truncated_and_missing_images_are_refused(tmp_path):
    whole = jpeg_before_grey(tmp_path).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    for name in ("cut.jpg", "nowhere.png"):
        with pytest.raises(UserError, match=name):
            silhouettes.read(tmp_path / name)


def test_only_files_of_known_formats_are_read(tmp_path):
    Image.fromarray(OBJECT.astype(np.uint8) * 255).save(tmp_path / "a.ico")
    os.mkfifo(tmp_path / "pipe.png")  # which a reader would wait at for ever
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "device.png").symlink_to("/dev/zero")
    for name, said in [
        ("a.ico", "it is none of PNG"),
        ("pipe.png", "is not a file"),
        ("folder.png", "is not a file"),
        ("device.png", "is not a file"),
    ]:
        with pytest.raises(UserError, match=f"{name} .*{said}"):
            silhouettes.read(tmp_path / name)


def test_names_that_are_not_utf8_are_refused_in_printable_words(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\nb.png")
    with pytest.raises(UserError, match="name that is not UTF-8") as caught:
        silhouettes.read(path)
    assert f"{tmp_path}/a\\udcff\\nb.png" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_changed_pixel_of_a_png_is_noticed(tmp_path):
    path = white_on_black(tmp_path)
    data = path.read_bytes()
    at = data.index(b"IDAT")
    size = int.from_bytes(data[at - 4 : at], "big")
    rows = bytearray(zlib.decompress(data[at + 4 : at + 4 + size]))
    rows[500] ^= 255
    changed = zlib.compress(rows)  # with the checksum of what was there before
    path.write_bytes(
        data[: at - 4] + struct.pack(">I", len(changed)) + b"IDAT" + changed + data[at + 4 + size :]
    )
    with pytest.raises(UserError, match="is damaged"):
        silhouettes.read(path)


def test_large_images_are_looked_at_in_a_smaller_size(tmp_path):
    large = np.kron(OBJECT, np.ones([50, 50], bool))  # 3000 × 4000
    image, silhouette, _ = silhouettes.read(saved(tmp_path, large.astype(np.uint8) * 255))
    assert image.shape == (1500, 2000, 3)
    np.testing.assert_array_equal(silhouette, large[::2, ::2])
    with pytest.raises(UserError, match="has 40000 × 1 pixels"):
        silhouettes.read(saved(tmp_path, np.zeros([1, 40000], np.uint8)))


def test_numbers_beyond_colours(tmp_path):
    pixels = np.where(OBJECT, 70_000, -5).astype(np.int32)
    _, silhouette, _ = silhouettes.read(saved(tmp_path, pixels, "whole.tif"))
    np.testing.assert_array_equal(silhouette, OBJECT)
    fractions = np.where(OBJECT, np.nan, 1).astype(np.float32)
    with pytest.raises(UserError, match="colours as fractions"):
        silhouettes.read(saved(tmp_path, fractions, "fractions.tif"))


@pytest.mark.parametrize("turn", [0, 1])
def test_objects_are_centred_and_scaled(turn):
    silhouette = np.rot90(OBJECT, turn)
    mask = framing.frame(silhouette, 32, 0.75)
    assert mask.shape == (32, 32, 1) and set(np.unique(mask)) == {0, 1}
    top, left, bottom, right = framing.bounding_box(mask[..., 0] > 0)
    assert (bottom - top, right - left) == (24, 24)  # as long as wide
    assert top + bottom == left + right == 32
    assert framing.extent(mask[None]) == 0.75


def test_a_frame_may_be_kept():
    mask = np.zeros([64, 64], bool)
    mask[0:8, 16:40] = True
    framed = framing.frame(mask, 32)[..., 0]
    assert framing.bounding_box(framed > 0) == (8, 0, 20, 4)
    # A wide image is padded above and below.
    framed = framing.frame(mask[:32], 32)[..., 0]
    assert framing.bounding_box(framed > 0) == (8, 8, 20, 12)


def test_thin_parts_stay():
    silhouette = np.zeros([256, 256], bool)
    silhouette[20:236, 100:103] = True  # under half a pixel wide in the mask
    silhouette[20:60, 20:236] = True
    mask = framing.frame(silhouette, 32)[..., 0]
    assert mask[10:29].any(axis=1).all()
