"""What labeled shapes say of mirror images and of warps."""

import numpy as np
import pytest

from ptn_semi.data import diversity
from shapenet_posed_masks import procedural

CHAIRS = np.stack([procedural.generate("chair", i, 0, 32) for i in range(12)])


def boxes(widths):
    """Boxes of one length and height, as wide as they are told."""
    shapes = np.zeros((len(widths), 32, 32, 32), bool)
    for shape, width in zip(shapes, widths, strict=True):
        shape[4:28, 10:22, 16 - width : 16 + width] = 1
    return shapes


def test_mirror_images_of_chairs_are_chairs():
    assert diversity.mirror_images_fit(CHAIRS)
    assert diversity.mirror_images_fit(CHAIRS[:1])  # a single shape is compared with itself


def test_mirror_images_of_shapes_that_all_face_to_one_side_are_of_another_kind():
    turned = boxes([4, 5, 6])
    turned[:, 4:12, 10:22, 22:26] = 1  # each has a part at its right side
    assert not diversity.mirror_images_fit(turned)
    # With as many that face to the other side, they are of the same kind.
    assert diversity.mirror_images_fit(np.concatenate([turned, turned[..., ::-1]]))


def test_shapes_that_are_more_alike_are_warped_less():
    alike, unlike = (diversity.warp_strength(boxes(w)) for w in ([8, 9, 10], [3, 6, 12]))
    assert 0.05 <= alike < unlike <= diversity.STRONGEST


@pytest.mark.parametrize("shapes", [boxes([8]), boxes([1, 14])], ids=["one", "two unlike"])
def test_a_single_shape_and_unlike_ones_are_warped_most(shapes):
    assert diversity.warp_strength(shapes) == diversity.STRONGEST


def test_equal_shapes_are_warped_least():
    assert diversity.warp_strength(boxes([8, 8])) == 0.05
