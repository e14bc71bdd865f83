import numpy as np
import pytest
from PIL import Image

from ptn_semi.visual import shading, sheets


def grid_with(*boxes, N=16):
    """Occupied where x, y and z lie in one of the boxes ((x0, x1), (y0, y1), (z0, z1))."""
    voxels = np.zeros([N, N, N], bool)
    for box in boxes:
        voxels[tuple(slice(*side) for side in box)] = True
    return voxels


def ink_center(image):
    """Mean column and row of what is not white, from the middle, and the number of such pixels."""
    row, column = np.nonzero((image < 250).any(-1))
    middle = (len(image) - 1) / 2
    return column.mean() - middle, row.mean() - middle, len(row)


@pytest.mark.parametrize(
    ("viewpoint", "side"),
    [
        # An arm along +x, the front. The camera's right is forward × up:
        ((0, 0), (0, 0)),  # from +x, towards us
        ((0, 90), (-1, 0)),  # from −z, whose right is −x
        ((0, 180), (0, 0)),  # from behind, away from us
        ((0, 270), (1, 0)),  # from +z, whose right is +x
        ((90, 0), (0, 1)),  # from above with the front's viewer's up: +x is at the bottom
        ((-90, 0), (0, -1)),
    ],
)
def test_front_arm_lies_where_the_convention_says(viewpoint, side):
    arm = grid_with(((8, 16), (7, 9), (7, 9)))
    column, row, _ = ink_center(shading.shade_voxels(arm, viewpoint, 64))
    assert np.sign(np.round([column, row], 0)).tolist() == list(side)


def test_up_is_up_and_the_left_side_is_on_the_viewers_right():
    high = shading.shade_voxels(grid_with(((7, 9), (10, 16), (7, 9))), (0, 45), 64)
    assert ink_center(high)[1] < -5
    # Seen from the front (+x), the camera's right is −z.
    left = shading.shade_voxels(grid_with(((7, 9), (7, 9), (0, 6))), (0, 0), 64)
    assert ink_center(left)[0] > 5


def test_size_on_the_picture():
    # A half-grid cube in a picture of one grid side: a quarter of the pixels, less nothing.
    cube = grid_with(((4, 12), (4, 12), (4, 12)))
    image = shading.shade_voxels(cube, (0, 0), 64, half_width=0.5)
    column, row, count = ink_center(image)
    assert (column, row, count) == (0, 0, 32 * 32)
    # From (e, a) its shadow is the sum of the three faces' areas, each by its cosine.
    turned = shading.shade_voxels(cube, (30, 40), 256, half_width=0.5)
    e, a = np.radians([30, 40])
    area = np.cos(e) * (np.cos(a) + np.sin(a)) + np.sin(e)
    assert ink_center(turned)[2] == pytest.approx(area * 128**2, rel=0.02)


def test_nearer_parts_hide_further_ones():
    # The same plate in front of a tower or behind it.
    plate = ((14, 16), (0, 16), (0, 16))
    tower = ((4, 8), (6, 10), (6, 10))
    both, alone = grid_with(plate, tower), grid_with(plate)
    images = [shading.shade_voxels(voxels, (0, 0), 64, half_width=0.6) for voxels in (both, alone)]
    np.testing.assert_array_equal(*images)
    # From behind the tower is the nearer one.
    images = [
        shading.shade_voxels(voxels, (0, 180), 64, half_width=0.6) for voxels in (both, alone)
    ]
    assert (images[0] != images[1]).any()


def test_whole_shape_is_shown_and_nothing_of_an_empty_one():
    full = np.ones([8, 8, 8], bool)
    assert shading.bounding_radius(full) == pytest.approx(np.sqrt(3) / 2)
    for viewpoint in ((0, 45), (35.26, 45), (-60, 10)):
        image = shading.shade_voxels(full, viewpoint, 48)
        frame = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert ink_center(image)[2] > 0
        assert (frame > 128).all()  # no more than an antialiased corner
    assert (shading.shade_voxels(np.zeros([8, 8, 8]), (20, 30), 32) == 255).all()


def test_exposed_faces():
    voxels, normals = shading.exposed_faces(grid_with(((0, 2), (3, 4), (5, 6)), N=8))
    assert len(voxels) == 10  # two cubes share a wall
    assert normals.sum(0).tolist() == [0, 0, 0]
    # Those at the border of the grid count too.
    assert len(shading.exposed_faces(np.ones([4, 4, 4]))[0]) == 6 * 16


def test_grid_and_png(tmp_path):
    small, large = np.zeros([10, 20, 3], np.uint8), np.full([40, 30, 3], 200, np.uint8)
    sheet = sheets.grid([[small, large], [large, small]], ["left", "right"])
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] > 80
    assert sheet.shape[1] > 60
    assert (sheet == 200).all(-1).sum() >= 2 * 40 * 30
    labelled = sheets.grid([[small]], ["title"], ["a row"])
    assert labelled.shape[1] > sheets.grid([[small]], ["title"]).shape[1]
    with pytest.raises(ValueError, match="at least one image"):
        sheets.grid([], ["left"])
    with pytest.raises(ValueError, match="every row"):
        sheets.grid([[small, large], [small]], ["left", "right"])
    with pytest.raises(ValueError, match="row titles"):
        sheets.grid([[small]], ["left"], ["a", "b"])

    path = tmp_path / "new" / "sheet.png"
    sheets.save_png(path, small)
    sheets.save_png(path, sheet)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), sheet)
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]
    with pytest.raises(TypeError):
        sheets.save_png(path, np.zeros([4, 4, 3]))  # not uint8
    np.testing.assert_array_equal(np.asarray(Image.open(path)), sheet)  # the old one stays whole
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]


def test_mask_picture_keeps_rows_and_columns():
    mask = np.zeros([4, 4, 1], np.float32)
    mask[0, 3] = 1
    image = sheets.mask_picture(mask, 16)
    assert (image[:4, 12:] == sheets.MASK_COLOR).all()
    assert (image[4:] == 255).all()


def test_reconstruction_sheet():
    rng = np.random.default_rng(0)
    truth = np.stack([grid_with(((2, 9), (3, 12), (4, 10)))] * 3)
    predicted = np.clip(truth * 0.6 + rng.uniform(0, 0.3, truth.shape), 0, 1)
    masks = rng.uniform(size=[3, 20, 20, 1])
    sheet = sheets.reconstruction_sheet(masks, predicted, truth, 0.5, size=48)
    assert sheet.shape[0] > 3 * 48
    assert sheet.shape[1] > 5 * 48
    nothing = sheets.reconstruction_sheet(masks, predicted * 0, truth, 0.5, ((0, 0),), size=48)
    assert nothing.shape[1] > 3 * 48
