"""Hulls of labeled shapes: of the right shapes and views, corrected or not."""

import numpy as np
import pytest

from ptn_semi.data import hulls
from ptn_semi.projection import resolutions, visual_hull
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from support.small_models import PROJECTOR
from support.small_sets import procedural_shapes

COUNT, VIEWS = 3, 5


@pytest.fixture(scope="module")
def shapes():
    return procedural_shapes(PROJECTOR, ["chair"] * COUNT, VIEWS)


@pytest.mark.parametrize("batch", [2, 32])
def test_hulls_are_those_of_the_chosen_shapes_and_first_views(shapes, monkeypatch, batch):
    monkeypatch.setattr(hulls, "_BATCH", batch)
    found = hulls.labeled_hulls(shapes, [2, 0, 1], 4, Camera(), 32, corrected=False, many=False)
    masks = shapes.unpack_masks(np.arange(COUNT)[:, None], np.arange(4))
    expected = visual_hull.visual_hull(PROJECTOR, masks, shapes.viewpoints[:, :4], 32).numpy()
    np.testing.assert_array_equal(found, 255 * expected[[2, 0, 1]].astype(np.uint8))
    # More views than there are: all of them.
    assert hulls.labeled_hulls(shapes, [0], 99, Camera(), 32, corrected=False, many=False).any()


def test_corrected_hulls_are_closer_to_the_shapes(shapes):
    plain, corrected = (
        hulls.labeled_hulls(
            shapes, np.arange(COUNT), 5, Camera(), 32, corrected=corrected, many=False
        )
        for corrected in (False, True)
    )
    np.testing.assert_array_equal(corrected > 0, plain > 0)
    truth = shapes.unpack_voxels(np.arange(COUNT))
    error = abs(corrected / 255 - truth).mean()
    assert error < 0.7 * abs(plain / 255 - truth).mean()


@pytest.mark.parametrize(("image_size", "voxel_size"), [(64, 32), (64, 64), (32, 64), (48, 64)])
def test_hulls_from_masks_of_another_resolution_hold_the_shapes(image_size, voxel_size):
    side = resolutions.fine_side(image_size, 64)
    fine = procedural_shapes(Projector(side, jit_compile=False), ["chair"] * 2, 24, 64, image_size)
    carved = hulls.labeled_hulls(
        fine, [0, 1], 24, Camera(), voxel_size, corrected=False, many=False
    )
    found = carved > 127
    truth = resolutions.coarse_voxels(fine.unpack_voxels([0, 1]).astype(np.float32), voxel_size)
    truth = np.asarray(truth) >= 0.5
    assert (found & truth).sum() > 0.95 * truth.sum()
    assert (found & truth).sum() > 0.6 * found.sum()
