"""Contact sheets and their files."""

import numpy as np
import pytest
from PIL import Image

from ptn_semi.visual import sheets

SMALL, LARGE = np.zeros([10, 20, 3], np.uint8), np.full([40, 30, 3], 200, np.uint8)


def test_sheets_hold_images_of_different_sizes_and_titles():
    sheet = sheets.grid([[SMALL, LARGE], [LARGE, SMALL]], ["left", "right"])
    assert sheet.dtype == np.uint8 and (np.array(sheet.shape[:2]) > [80, 60]).all()
    assert (sheet == 200).all(-1).sum() >= 2 * 40 * 30
    titled = sheets.grid([[SMALL]], ["title"], ["a row"])
    assert titled.shape[1] > sheets.grid([[SMALL]], ["title"]).shape[1]


def test_a_picture_that_cannot_be_written_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "new" / "sheet.png"
    sheets.save_png(path, SMALL)
    sheets.save_png(path, LARGE)
    with pytest.raises(TypeError):
        sheets.save_png(path, np.zeros([4, 4, 3]))  # not uint8
    np.testing.assert_array_equal(np.asarray(Image.open(path)), LARGE)
    assert list(path.parent.iterdir()) == [path]


def test_mask_pictures_keep_rows_and_columns():
    mask = np.zeros([4, 4, 1], np.float32)
    mask[0, 3] = 1
    image = sheets.mask_picture(mask, 16)
    assert (image[:4, 12:] == sheets.MASK_COLOR).all()
    assert (image[4:] == 255).all()


def test_reconstruction_sheets_have_a_row_for_each_shape_even_if_it_is_empty():
    rng = np.random.default_rng(0)
    masks, truth = rng.random([3, 20, 20, 1]), rng.random([3, 16, 16, 16]) < 0.1
    for predicted in (rng.random(truth.shape) > 0.9, np.zeros(truth.shape, bool)):
        sheet = sheets.reconstruction_sheet(masks, predicted, truth)
        assert sheet.shape[0] > 3 * 128 and sheet.shape[1] > 5 * 128
