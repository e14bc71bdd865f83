"""What is in a batch."""

import dataclasses
import itertools

import numpy as np
import pytest

from ptn_semi.data import batches
from ptn_semi.data.hulls import Occupancy
from ptn_semi.data.splits import Shapes
from support.supervisions import supervise


def make_shapes(num_shapes=5, num_views=6, size=9):
    """Random masks, all different, of a size whose square is not a multiple of 8."""
    rng = np.random.default_rng(0)
    masks = rng.random((num_shapes, num_views, size * size)) < 0.4
    shapes = Shapes(
        model_ids=np.array([f"shape{i}" for i in range(num_shapes)]),
        categories=np.array(["chair"] * num_shapes),
        viewpoints=rng.uniform(-20, 40, (num_shapes, num_views, 2)).astype(np.float32),
        masks=np.packbits(masks, axis=-1),
        voxels=None,
        image_size=size,
        voxel_size=32,
    )
    return shapes, masks.reshape(num_shapes, num_views, size, size, 1).astype(np.float32)


SHAPES, MASKS = make_shapes()
LABELED = [1, 3, 4]


def take(
    count,
    shapes=SHAPES,
    labeled=LABELED,
    batch_size=8,
    seed=0,
    labeled_batch_size=0,
    start=0,
    **supervision,
):
    data = batches.batch_dataset(
        supervise(shapes, labeled, **supervision), batch_size, seed, labeled_batch_size, start
    )
    return list(data.take(count).as_numpy_iterator())


def find(masks, among=MASKS):
    """(shape, view) of each mask; exactly one must equal it."""
    equal = (masks[:, None, None] == among).all(axis=(3, 4, 5))
    assert (equal.sum(axis=(1, 2)) == 1).all()
    return np.argwhere(equal)[:, 1:]


@pytest.mark.parametrize("size", [9, 32])
def test_masks_come_out_as_they_were_packed(size):
    shapes, masks = make_shapes(size=size)
    np.testing.assert_array_equal(shapes.unpack_masks(np.arange(5)[:, None], np.arange(6)), masks)
    for batch in take(2, shapes):
        for name in ("view_a", "view_b", "unlabeled"):
            assert batch[name].shape == (8, size, size, 1)
            assert batch[name].dtype == np.float32
            find(batch[name], masks)


def test_pairs_are_two_views_of_one_labeled_shape_and_unlabeled_masks_are_of_all_shapes():
    seen, unlabeled = set(), set()
    for batch in take(60):
        a, b = find(batch["view_a"]), find(batch["view_b"])
        np.testing.assert_array_equal(a[:, 0], b[:, 0])
        np.testing.assert_array_equal(batch["viewpoint_a"], SHAPES.viewpoints[*a.T])
        np.testing.assert_array_equal(batch["viewpoint_b"], SHAPES.viewpoints[*b.T])
        seen |= {tuple(each) for each in np.column_stack([a, b[:, 1]]).tolist()}
        unlabeled |= {tuple(pair) for pair in find(batch["unlabeled"]).tolist()}
    # Every ordered pair of the labeled shapes' first four views, and nothing else.
    assert seen == {(s, *views) for s in LABELED for views in itertools.permutations(range(4), 2)}
    assert unlabeled == set(itertools.product(range(5), range(6)))


def test_categories_are_drawn_evenly_however_many_shapes_they_have():
    mixed = dataclasses.replace(SHAPES, categories=np.array(["car"] + ["chair"] * 4))
    hulls = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(4, 3)
    drawn = take(100, mixed, labeled=[0, 3, 4], batch_size=16, hulls=hulls)
    cars = {
        "unlabeled": np.concatenate([find(batch["unlabeled"])[:, 0] for batch in drawn]) == 0,
        "view_a": np.concatenate([find(batch["view_a"])[:, 0] for batch in drawn]) == 0,
        "hull": np.concatenate([batch["hull"][:, 0, 0, 0] for batch in drawn]) == 0,
    }
    for name, chosen in cars.items():
        assert abs(chosen.mean() - 0.5) < 0.05, name


@pytest.mark.parametrize("options", [{"labeled_views": 100}, {"labeled": [2], "labeled_views": 2}])
def test_more_views_than_there_are_are_all_views(options):
    batch = take(1, batch_size=64, **options)[0]
    a, b = find(batch["view_a"]), find(batch["view_b"])
    assert len(a) == 64
    assert (a[:, 1] != b[:, 1]).all()
    assert set(a[:, 0]) == set(options.get("labeled", LABELED))
    assert set(a[:, 1]) == set(range(min(6, options["labeled_views"])))


def assert_same(batches_a, batches_b):
    for a, b in zip(batches_a, batches_b, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_batches_are_those_of_their_step_and_seed():
    whole = take(6, mirrored=True)
    assert_same(take(6, mirrored=True), whole)
    assert_same(take(3, mirrored=True, start=3), whole[3:])
    for other in (whole[1], take(1, mirrored=True, seed=1)[0]):
        for name, value in whole[0].items():
            assert (value != other[name]).any()


def test_draws_for_different_purposes_are_uncorrelated():
    drawn = []
    for batch in take(100, labeled=range(5), labeled_views=6):
        a, b, alone = (find(batch[name]) for name in ("view_a", "view_b", "unlabeled"))
        drawn.append([*a.T, (b[:, 1] - a[:, 1]) % 6, *alone.T])
    correlation = np.corrcoef(np.concatenate(drawn, axis=1)) - np.eye(5)
    assert abs(correlation).max() < 0.12  # of 800 pairs


HULLS = np.random.default_rng(1).integers(0, 256, (len(LABELED), 32, 32, 32), np.uint8)


def test_hulls_come_out_as_likelihoods_and_leave_the_rest_of_a_batch_as_it_is():
    seen = []
    for with_hulls, without in zip(take(6, hulls=HULLS), take(6), strict=True):
        seen.append(with_hulls.pop("hull"))
        np.testing.assert_array_equal(with_hulls.pop("warp_strength"), np.float32([0.25] * 8))
        assert_same([with_hulls], [without])
    equal = (np.concatenate(seen)[:, None] == HULLS.astype(np.float32) / 255).all(axis=(2, 3, 4))
    assert (equal.sum(axis=1) == 1).all()
    assert equal.any(axis=0).all()  # each turns up among 48


def test_voxels_of_the_last_labeled_shapes_may_be_packed():
    packed = np.packbits(HULLS[1:].reshape(len(HULLS) - 1, -1) > 127, axis=1)
    supervision = dataclasses.replace(
        supervise(SHAPES, LABELED), occupancy=Occupancy(HULLS[:1], packed)
    )
    expected = np.concatenate([HULLS[:1] / np.float32(255), HULLS[1:] > 127])
    drawn = batches.batch_dataset(supervision, 16, seed=0).take(3).as_numpy_iterator()
    seen = np.concatenate([batch["hull"] for batch in drawn])
    equal = (seen[:, None] == expected).all(axis=(2, 3, 4))
    assert (equal.sum(axis=1) == 1).all()
    assert equal.any(axis=0).all()


def test_labeled_pairs_may_be_fewer():
    batch = take(1, labeled_batch_size=3, hulls=HULLS)[0]
    assert {name for name, rows in batch.items() if len(rows) == 8} == {
        "unlabeled",
        "hull",
        "warp_strength",
    }
    assert len(find(batch["view_a"])) == len(batch["viewpoint_b"]) == 3


def test_mirror_images_are_those_of_shapes_that_may_be_mirrored():
    may = np.array([True, True, False, False, True])  # shapes 1, 3 and 4 are labeled
    strengths = np.float32([0.1, 0.2, 0.3])
    hulls = HULLS.astype(np.float32) / 255
    options = {"hulls": HULLS, "warp_strength": strengths, "mirrored": may}
    flips = {"view_a": [], "unlabeled": [], "hull": []}  # whether each that may be was mirrored
    for batch, plain in zip(take(40, **options), take(40, hulls=HULLS), strict=True):
        for name in ("view_a", "view_b", "unlabeled"):
            shapes = find(plain[name])[:, 0]
            flipped = (batch[name] != plain[name]).any(axis=(1, 2, 3))
            assert not flipped[~may[shapes]].any()
            expected = np.where(flipped[:, None, None, None], plain[name][:, :, ::-1], plain[name])
            np.testing.assert_array_equal(batch[name], expected)
            flips.get(name, []).extend(flipped[may[shapes]])
            if name != "unlabeled":  # both views of a pair alike, each with its viewpoint
                viewpoint = f"viewpoint_{name[-1]}"
                sign = np.where(flipped[:, None], (1, -1), 1)
                np.testing.assert_array_equal(batch[viewpoint], plain[viewpoint] * sign)
        sides = [batch[f"viewpoint_{view}"] != plain[f"viewpoint_{view}"] for view in "ab"]
        np.testing.assert_array_equal(*sides)
        for hull, strength in zip(batch["hull"], batch["warp_strength"], strict=True):
            row = list(strengths).index(strength)
            is_mirrored = (hull == hulls[row][..., ::-1]).all()
            assert is_mirrored or (hull == hulls[row]).all()
            assert may[LABELED[row]] or not is_mirrored
            flips["hull"] += [is_mirrored] if may[LABELED[row]] else []
    for name, flipped in flips.items():
        assert np.mean(flipped) == pytest.approx(0.5, abs=0.12), name


def test_unlabeled_masks_of_images_are_some_rows_of_each_batch():
    rng = np.random.default_rng(1)
    images = (rng.random((7, 9, 9, 1)) < 0.4).astype(np.float32)
    packed = np.packbits(images.reshape(7, -1) > 0, axis=1)
    seen = set()
    without = take(30)
    for batch, before in zip(take(30, images=packed, images_share=0.25), without, strict=True):
        seen |= set(find(batch["unlabeled"][:2], images[None])[:, 1].tolist())
        np.testing.assert_array_equal(batch["unlabeled"][2:], before["unlabeled"][2:])
        np.testing.assert_array_equal(batch["view_a"], before["view_a"])
    assert seen == set(range(7))


def test_masks_of_images_are_mirrored_where_all_shapes_may_be():
    images = np.zeros((1, 9, 9, 1), np.float32)
    images[:, 2:5, :3] = 1
    packed = np.packbits(images.reshape(1, -1) > 0, axis=1)
    for may_mirror, share in ((True, 0.5), (False, 0)):
        drawn = take(30, images=packed, mirrored=may_mirror)
        masks = np.concatenate([batch["unlabeled"] for batch in drawn])
        mirrored = (masks == images[:, :, ::-1]).all(axis=(1, 2, 3))
        assert ((masks == images).all(axis=(1, 2, 3)) | mirrored).all()
        assert mirrored.mean() == pytest.approx(share, abs=0.12)
