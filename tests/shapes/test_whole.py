"""Whole shapes: they show their masks and hang together."""

import numpy as np
import pytest
from scipy import ndimage

from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from ptn_semi.shapes import fits, whole
from ptn_semi.visual import surfaces

VIEWPOINT = np.float32([[15, 60]])
PROJECTORS = {size: Projector(size) for size in (32, 64)}


def table(size=32):
    """A table's top, and its four legs, each bool [N, N, N]."""
    unit = size // 32
    top, legs = np.zeros((2, size, size, size), bool)
    top[6 * unit : 26 * unit, 20 * unit : 23 * unit, 4 * unit : 28 * unit] = True
    for x in (6, 24):
        for z in (4, 26):
            corner = slice(x * unit, (x + 2) * unit), slice(z * unit, (z + 2) * unit)
            legs[corner[0], 6 * unit : 20 * unit, corner[1]] = True
    return top, legs


def unsure(size=32, leg=0.15, elsewhere=0.01):
    """Probabilities of the table: legs are likelier than what is around them, but improbable."""
    top, legs = table(size)
    return np.float32(np.where(top, 0.9, np.where(legs, leg, elsewhere)))


def seen(occupied, viewpoints=VIEWPOINT):
    projector = PROJECTORS[len(occupied)]
    voxels = np.repeat(occupied[None].astype(np.float32), len(viewpoints), axis=0)
    return np.float32(projector([voxels, viewpoints]).numpy() > 0)


def make(voxels, masks, viewpoints=VIEWPOINT, threshold=0.4, **options):
    projector = PROJECTORS[len(voxels)]
    return whole.whole_shape(voxels, masks, viewpoints, projector, threshold, **options)


def mask_iou(occupied, masks):
    return fits.measure(occupied, masks[0], PROJECTORS[len(occupied)], VIEWPOINT[0]).iou


@pytest.mark.parametrize("size", [32, 64])
def test_a_table_stands_on_the_legs_that_its_mask_shows(size):
    top, legs = table(size)
    masks = seen(top | legs)
    plain = whole.threshold_shape(unsure(size), 0.4)
    assert mask_iou(plain.occupied, masks) < 0.8
    shape = make(unsure(size), masks, lowest=0.4)
    assert mask_iou(shape.occupied, masks) > 0.97
    assert ndimage.label(shape.occupied)[1] == 1
    added = shape.occupied & ~top
    assert (added & legs).sum() > 0.7 * added.sum()
    assert (added & legs).sum() > 0.5 * legs.sum()


def test_what_is_added_is_as_thick_as_it_is_wide_in_the_mask():
    top, legs = table(64)  # legs of 4 x 4 voxels
    axes = legs & ndimage.binary_erosion(legs, np.ones((3, 1, 3)))
    voxels = np.float32(np.where(top, 0.9, np.where(axes, 0.15, 0.01)))
    shape = make(voxels, seen(top | legs), lowest=0.4)
    added = shape.occupied & ~top
    # Round legs have 79 % of the voxels of square ones.
    assert (added & legs).sum() > 0.5 * legs.sum()
    assert (added & ~legs).sum() < 0.3 * (added & legs).sum()


def test_the_threshold_is_lowered_where_the_mask_asks_for_it():
    top, legs = table()
    shape = make(unsure(), seen(top | legs))
    assert 0.1 < shape.threshold < 0.15 and (shape.occupied == (top | legs)).mean() > 0.999
    # Nothing is gained where the mask shows no legs.
    shape = make(unsure(), seen(top))
    assert shape.threshold == pytest.approx(0.4) and not (shape.occupied & legs)[:, :18].any()


def test_what_is_outside_the_mask_is_removed_unless_it_is_most_of_the_shape():
    top, _ = table()
    fin = np.zeros_like(top)
    fin[14:18, 23:30, 14:18] = True
    voxels = np.float32((top | fin) * 0.9)
    assert (
        make(voxels, seen(top)).occupied & fin
    ).sum() < 0.4 * fin.sum()  # the rest is before the top
    elsewhere = np.zeros((1, 32, 32, 1), np.float32)
    elsewhere[:, 27:, :5] = 1
    assert (make(voxels, elsewhere).occupied & top).sum() > 0.9 * top.sum()
    voxels[2:4, 2:4, 2:4] = 0.9  # too far from the mask for a path
    assert not make(voxels, elsewhere).occupied[2:4, 2:4, 2:4].any()


def test_parts_that_the_mask_does_not_show_are_joined_or_dropped():
    top, _ = table()
    behind = np.zeros_like(top)
    behind[14:18, 12:16, 14:18] = True  # below the top, where this camera does not see it
    above = np.float32([[40, 60]])
    masks = seen(top, above)
    gap = np.zeros_like(top)
    gap[15:17, 16:20, 15:17] = True
    for between, kept in ((0.001, False), (0.35, True)):
        voxels = np.float32(np.where(top | behind, 0.9, np.where(gap, between, 0.001)))
        shape = make(voxels, np.maximum(masks, seen(behind, above)), above, lowest=0.4)
        assert (shape.occupied & behind).any() == kept


def test_symmetric_shapes_get_the_mirror_image_of_what_was_added():
    top, legs = table()
    # From the side, without perspective, the legs at the far side are behind those at the near one.
    projector, side = Projector(32, Camera(perspective=False)), np.float32([[0, 90]])
    masks = np.float32(projector([np.float32(top | legs)[None], side]).numpy() > 0)
    voxels = unsure()
    voxels[:, :18, 16:] = 0.01
    far = np.zeros_like(top)
    far[:, :, 16:] = True
    counts = []
    for symmetric in (False, True):
        shape = whole.whole_shape(
            voxels, masks, side, projector, 0.4, lowest=0.4, mirror_symmetric=symmetric
        )
        counts.append([((shape.occupied & legs) & half).sum() for half in (far, ~far)])
    assert counts[0][0] < 0.2 * counts[0][1] and counts[0][1] > 0.5 * legs.sum() / 2
    assert counts[1][0] > 0.8 * counts[1][1]


def test_several_views_are_all_shown():
    top, legs = table()
    viewpoints = np.float32([[15, 60], [10, 150], [-10, 290]])
    masks = seen(top | legs, viewpoints)
    shape = make(unsure(), masks, viewpoints, lowest=0.4)
    shown = [
        fits.measure(shape.occupied, mask, PROJECTORS[32], viewpoint).iou
        for mask, viewpoint in zip(masks, viewpoints, strict=True)
    ]
    assert min(shown) > 0.9
    one = make(unsure(), masks[:1], viewpoints[:1], lowest=0.4)
    iou = [
        (each.occupied & (top | legs)).sum() / (each.occupied | top | legs).sum()
        for each in (one, shape)
    ]
    assert iou[1] > iou[0]


@pytest.mark.parametrize("extract", [surfaces.extract_smooth, surfaces.extract_blocky])
def test_meshes_have_one_part_and_thin_legs(extract):
    top, legs = table()
    masks = seen(top | legs)
    mesh = extract(*make(unsure(leg=0.05), masks))
    assert mesh.is_watertight and mesh.body_count == 1
    assert mesh.bounds[0, 1] < -0.25  # down to the feet


def test_noise_gives_one_part():
    rng = np.random.default_rng(0)
    for _ in range(5):
        voxels = np.float32(ndimage.gaussian_filter(rng.random((32, 32, 32)), 1.5) - 0.5) * 5 + 0.3
        masks = np.float32(ndimage.gaussian_filter(rng.random((32, 32)), 2) > 0.5)[None, ..., None]
        shape = make(voxels.clip(0, 1), masks)
        assert ndimage.label(shape.occupied)[1] == 1
        assert surfaces.extract_smooth(*shape).body_count == 1


def test_nothing_stays_nothing():
    voxels = np.full((32, 32, 32), 0.05, np.float32)
    for masks in (np.ones((1, 32, 32, 1), np.float32), np.zeros((1, 32, 32, 1), np.float32)):
        assert not make(voxels, masks).occupied.any()


def test_masks_may_be_finer_or_coarser_than_voxels():
    for size, image_size in ((32, 64), (64, 32)):
        top, legs = table(size)
        projector = Projector(64)
        voxels = (top | legs)[None].astype(np.float32)
        masks = projector([voxels, VIEWPOINT]).numpy() > 0
        factor = 64 // image_size
        masks = masks.reshape(1, image_size, factor, image_size, factor, 1).max(axis=(2, 4))
        shape = whole.whole_shape(
            unsure(size), np.float32(masks), VIEWPOINT, projector, 0.4, lowest=0.4
        )
        assert (shape.occupied & legs).sum() > 0.4 * legs.sum()
        assert ndimage.label(shape.occupied)[1] == 1


def test_small_components_lose_their_probabilities():
    voxels = np.zeros((12, 12, 12), np.float32)
    voxels[2:9, 2:9, 2:9] = 0.6
    voxels[11, 11, 11] = 0.1  # is not occupied
    expected = voxels.copy()
    voxels[0, 0, 0] = 0.9
    np.testing.assert_array_equal(whole.threshold_shape(voxels, 0.3).voxels, expected)


def test_no_path_makes_a_long_detour(monkeypatch):
    projector, front = Projector(32, Camera(perspective=False)), np.float32([[0, 0]])
    voxels = np.full((32, 32, 32), 1e-4, np.float32)
    voxels[12:16, 14:20, 10:20] = 0.9
    voxels[16:23, 14:20, 10:20] = 0.38  # towards the camera, and at the end
    voxels[22, 8:14, 14:16] = 0.38  # a part below, at a pixel of its own
    masks = np.float32(projector([np.float32(voxels > 0.5)[None], front]).numpy() > 0)
    masks[0, 18:20, 16:18] = 1  # the rows below the shape
    monkeypatch.setattr(whole, "_UPRIGHT", 1)  # so that costs are those of single voxels
    for detour, reached in ((whole._DETOUR, False), (100, True)):
        monkeypatch.setattr(whole, "_DETOUR", detour)
        shape = whole.whole_shape(voxels, masks, front, projector, 0.4, lowest=0.4)
        assert shape.occupied[19:].any() == reached
