"""Masks of a folder of images: framed, and only where the object is sure."""

import numpy as np
import pytest
from PIL import Image

from ptn_semi.data import framing, unlabeled_images
from ptn_semi.utils.errors import UserError


def save(path, left, top, width, height, other=None):
    pixels = np.zeros((90, 120), np.uint8)
    pixels[top : top + height, left : left + width] = 255
    if other:
        pixels[other] = 255
    Image.fromarray(pixels).save(path)


def test_objects_are_framed_and_doubtful_images_are_counted(tmp_path, capsys):
    save(tmp_path / "a.png", 10, 20, 60, 30)
    save(tmp_path / "b.png", 50, 5, 20, 80)
    two = (slice(10, 40), slice(5, 30))
    save(tmp_path / "two.png", 60, 50, 40, 30, two)  # which of the two is the object?
    Image.new("L", (40, 40)).save(tmp_path / "nothing.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    masks = unlabeled_images.read(tmp_path, 32, 0.75)
    assert masks.shape == (2, 32, 32, 1) and masks.dtype == np.float32
    assert framing.extent(masks[:1]) == framing.extent(masks[1:]) == 0.75
    assert masks[0].sum() == 24 * 12 and masks[1].sum() == 6 * 24
    said = capsys.readouterr().out
    assert "2 of 5 images are left out: cannot be used (" in said
    assert "1 of 5 images are left out: " in said and "two.png" in said
    assert "2 unlabeled masks" in said


def test_a_folder_without_a_sure_object_is_refused(tmp_path):
    Image.new("L", (40, 40)).save(tmp_path / "nothing.png")
    with pytest.raises(UserError, match="has no image whose object is sure"):
        unlabeled_images.read(tmp_path, 32, 0.75)
    with pytest.raises(UserError, match="is not a folder"):
        unlabeled_images.read(tmp_path / "no", 32, 0.75)


@pytest.mark.parametrize("count, size", [(1, (1, 1)), (5, (5, 1)), (20, (8, 2)), (200, (8, 6))])
def test_the_contact_sheet_has_whole_rows(count, size):
    drawn = unlabeled_images.draw(np.ones((count, 8, 8, 1), np.float32))
    columns, rows = size
    assert drawn.shape[1] // 128 == columns and drawn.shape[0] // 128 == rows
