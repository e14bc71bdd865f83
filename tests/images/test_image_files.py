"""Image files as people have them: turned by EXIF, slightly damaged, or something else."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from ptn_semi.images import image_files
from ptn_semi.utils.errors import UserError

PIXELS = np.zeros([60, 80, 3], np.uint8)
PIXELS[:30] = [200, 40, 20]  # red above, black below, and a white corner at the upper left
PIXELS[:10, :10] = 255


@pytest.fixture
def read(tmp_path):
    """A function that reads an image from bytes."""

    def read(data, name="image"):
        (tmp_path / name).write_bytes(data)
        return np.asarray(image_files.read(tmp_path / name), int)

    return read


def encode(kind, pixels=PIXELS, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "orientation, stored",
    [(1, PIXELS), (2, PIXELS[:, ::-1]), (6, PIXELS.swapaxes(0, 1)[::-1])],
)
def test_images_are_upright(read, kind, orientation, stored):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read(encode(kind, np.ascontiguousarray(stored), exif=exif))
    assert abs(image - PIXELS).mean() < (5 if kind == "JPEG" else 1e-9)


def test_a_jpeg_may_lack_its_end_marker_but_no_pixels(read):
    data = encode("JPEG", np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    np.testing.assert_array_equal(read(data[:-2]), read(data))
    with pytest.raises(UserError, match=r"cut\.jpg is damaged"):
        read(data[:-300], "cut.jpg")


def test_a_png_may_have_damaged_text_but_nothing_else(read):
    data = encode("PNG")
    text = b"tEXt" + b"Comment\0made by hand"
    wrong = struct.pack(">I", len(text) - 4) + text + b"\0\0\0\0"
    np.testing.assert_array_equal(read(data[:33] + wrong + data[33:]), PIXELS)
    with pytest.raises(UserError, match="cannot be read"):
        read(data[:20] + b"\1" + data[21:])  # the width
    end = data.index(b"IEND") - 4
    with pytest.raises(UserError, match="is damaged"):
        read(data[: end - 1] + b"\1" + data[end:])  # the checksum of the pixels


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", r"Git LFS pointer.*git lfs pull"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00", r"macOS.*without '._'"),
    ],
)
def test_files_that_only_have_the_name_of_an_image_are_explained(read, start, said):
    with pytest.raises(UserError, match=said):
        read(start + b"x" * 80, "chair.png")
