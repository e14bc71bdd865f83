"""What labeled shapes say of mirror images and of warps."""

import numpy as np

from ptn_semi.data import diversity
from ptn_semi.data.hulls import of_hulls
from shapenet_posed_masks import procedural


def boxes(widths):
    """Boxes of one length and height, as wide as they are told."""
    shapes = np.zeros((len(widths), 32, 32, 32), bool)
    for shape, width in zip(shapes, widths, strict=True):
        shape[4:28, 10:22, 16 - width : 16 + width] = 1
    return shapes


def test_mirror_images_of_chairs_are_chairs():
    chairs = np.stack([procedural.generate("chair", i, 0, 32) for i in range(12)])
    assert diversity.mirror_images_fit(chairs)
    assert diversity.mirror_images_fit(chairs[:1])  # a single shape is compared with itself


def one_sided():
    """Boxes that have a part at their right side."""
    shapes = boxes([4, 5, 6])
    shapes[:, 4:12, 10:22, 22:26] = 1
    return shapes


def test_mirror_images_of_shapes_that_all_face_to_one_side_are_of_another_kind():
    turned = one_sided()
    assert not diversity.mirror_images_fit(turned)
    # With as many that face to the other side, they are of the same kind.
    assert diversity.mirror_images_fit(np.concatenate([turned, turned[..., ::-1]]))


def test_shapes_that_are_more_alike_are_warped_less():
    widths = [8, 8], [8, 9, 10], [3, 6, 12], [1, 14], [8]  # a single one is unlike any other
    equal, alike, unlike, most, alone = (diversity.warp_strength(boxes(each)) for each in widths)
    assert 0.05 == equal < alike < unlike <= most == alone == diversity.STRONGEST


def choose(hulls, categories, known=None, own=None, mirror_views=True, strength=0.0):
    categories = np.array(categories)
    known = np.arange(len(categories)) if known is None else np.array(known, int)
    own = len(categories) if own is None else own
    known_hulls = of_hulls(hulls.astype(np.uint8) * 255)
    return diversity.choose(categories, known, known_hulls, own, mirror_views, strength)


def test_each_category_is_varied_as_its_own_shapes_differ(capsys):
    hulls = np.concatenate([one_sided(), boxes([3, 6, 12])])
    mirrored, strengths, symmetric = choose(hulls, ["car", "car", "car", "lamp", "lamp", "lamp"])
    np.testing.assert_array_equal(mirrored, [False] * 3 + [True] * 3)
    for rows in (slice(0, 3), slice(3, 6)):
        expected = np.float32(diversity.warp_strength(hulls[rows]))
        np.testing.assert_array_equal(strengths[rows], expected)
    assert "car: no mirror images" in capsys.readouterr().out and not symmetric
    _, alone, symmetric = choose(boxes([3, 6, 12]), ["lamp"] * 3)
    assert symmetric
    np.testing.assert_array_equal(alone, strengths[3:])


def test_what_is_asked_for_is_not_chosen():
    mirrored, strengths, _ = choose(one_sided(), ["car"] * 3, mirror_views=False, strength=0.2)
    assert not mirrored.any()
    assert not choose(boxes([3, 6, 12]), ["lamp"] * 3, mirror_views=False)[2]
    np.testing.assert_array_equal(strengths, np.float32([0.2] * 3))


def test_shapes_without_hulls_are_varied_as_the_known_ones_are():
    # Shapes 0 and 1 are the data set's, of which 1 is labeled; the others were added.
    hulls = np.concatenate([boxes([8]), one_sided()])
    mirrored, strengths, _ = choose(hulls, ["car"] * 5, known=[1, 2, 3, 4], own=2)
    assert mirrored.all()
    np.testing.assert_array_equal(strengths, np.float32([diversity.STRONGEST] * 4))
    # Where none of the data set's own is known, the added ones tell.
    mirrored, strengths, _ = choose(one_sided(), ["car"] * 5, known=[2, 3, 4], own=2)
    assert not mirrored.any()
    # Nothing is known.
    mirrored, strengths, symmetric = choose(one_sided()[:0], ["car"] * 5, known=[])
    assert mirrored.all() and not len(strengths) and not symmetric


def test_shapes_are_symmetric_if_they_are_nearly_their_own_mirror_images():
    hulls = boxes([3, 6, 12])
    assert diversity.is_symmetric(hulls)
    lopsided = hulls.copy()
    lopsided[:, :, :, : hulls.shape[3] // 2] = False
    assert not diversity.is_symmetric(lopsided)
    both = np.concatenate([hulls, lopsided])
    assert not choose(both, ["lamp"] * 3 + ["car"] * 3)[2]


def test_some_shapes_of_each_category_are_compared():
    categories = np.array(["car", "lamp"] * 150)
    labeled = [*range(0, 300, 2), 299]
    some = diversity.some_of_each(categories, np.array(labeled))
    assert len(some) == diversity.MAX_COMPARED + 1
    assert set(some) <= set(labeled)
    assert {0, 298, 299} <= set(some)  # spread over the whole category
