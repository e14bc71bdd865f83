"""Image files as people have them: turned by EXIF, slightly damaged, or something else."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from ptn_semi.inference import images
from ptn_semi.utils.errors import UserError

PIXELS = np.zeros([60, 80, 3], np.uint8)
PIXELS[:30] = [200, 40, 20]  # red above, black below, and a white corner at the upper left
PIXELS[:10, :10] = 255


def saved(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def encoded(kind, pixels=PIXELS, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "orientation, stored",
    [
        (1, PIXELS),
        (2, PIXELS[:, ::-1]),
        (3, PIXELS[::-1, ::-1]),
        (6, PIXELS.swapaxes(0, 1)[::-1]),
        (8, PIXELS.swapaxes(0, 1)[:, ::-1]),
    ],
)
def test_images_are_upright(tmp_path, kind, orientation, stored):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(kind, np.ascontiguousarray(stored), exif=exif)
    image = images.read(saved(tmp_path, "photo", data))
    difference = abs(np.asarray(image, int) - PIXELS).mean()
    assert difference < (5 if kind == "JPEG" else 1e-9)


def test_a_jpeg_without_its_end_is_read_and_one_without_pixels_is_not(tmp_path):
    data = encoded("JPEG", np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))
    whole = np.asarray(images.read(saved(tmp_path, "whole.jpg", data)))
    endless = images.read(saved(tmp_path, "endless.jpg", data[:-2]))
    np.testing.assert_array_equal(np.asarray(endless), whole)
    with pytest.raises(UserError, match=r"cut\.jpg is damaged"):
        images.read(saved(tmp_path, "cut.jpg", data[:-300]))


def test_a_png_with_a_wrong_checksum_in_its_text_is_read(tmp_path):
    text = b"tEXt" + b"Comment\0made by hand"
    wrong = struct.pack(">I", len(text) - 4) + text + b"\0\0\0\0"
    data = encoded("PNG")
    image = images.read(saved(tmp_path, "a.png", data[:33] + wrong + data[33:]))
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    damaged = bytearray(data)
    damaged[20] ^= 1  # the width, in the header that matters
    with pytest.raises(UserError, match="cannot be read"):
        images.read(saved(tmp_path, "b.png", damaged))


def test_files_that_only_look_like_images_are_called_by_their_names(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    with pytest.raises(UserError, match=r"Git LFS pointer.*git lfs pull"):
        images.read(saved(tmp_path, "chair.png", pointer))
    with pytest.raises(UserError, match=r"macOS.*without '._'"):
        images.read(saved(tmp_path, "._chair.png", b"\x00\x05\x16\x07\x00\x02\x00\x00" + b"x" * 80))
