"""Hulls of labeled shapes: of the right shapes and views, corrected or not."""

import numpy as np
import pytest

from ptn_semi.data import hulls
from ptn_semi.projection import visual_hull
from small_models import PROJECTOR
from small_sets import procedural_shapes

COUNT, VIEWS = 3, 5


@pytest.fixture(scope="module")
def shapes():
    return procedural_shapes(PROJECTOR, ["chair"] * COUNT, VIEWS)


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_hulls_are_those_of_the_chosen_shapes_and_first_views(shapes, monkeypatch, batch):
    monkeypatch.setattr(hulls, "_BATCH", batch)
    found = hulls.labeled_hulls(shapes, [2, 0, 1], 4, PROJECTOR, corrected=False)
    masks = shapes.unpack_masks(np.arange(COUNT)[:, None], np.arange(4))
    expected = visual_hull.visual_hull(PROJECTOR, masks, shapes.viewpoints[:, :4], 32).numpy()
    np.testing.assert_array_equal(found, 255 * expected[[2, 0, 1]].astype(np.uint8))
    # More views than there are: all of them.
    assert hulls.labeled_hulls(shapes, [0], 99, PROJECTOR, corrected=False).shape == (1, 32, 32, 32)


def test_corrected_hulls_are_closer_to_the_shapes(shapes):
    plain, corrected = (
        hulls.labeled_hulls(shapes, np.arange(COUNT), 5, PROJECTOR, corrected=corrected)
        for corrected in (False, True)
    )
    np.testing.assert_array_equal(corrected > 0, plain > 0)
    truth = shapes.unpack_voxels(np.arange(COUNT))
    error = abs(corrected / 255 - truth).mean()
    assert error < 0.7 * abs(plain / 255 - truth).mean()
