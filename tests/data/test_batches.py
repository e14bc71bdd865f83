"""Which shapes are labeled, and what is in a batch."""

import collections
import dataclasses
import itertools

import numpy as np
import pytest

from ptn_semi.data import batches
from ptn_semi.data.splits import Shapes

IDS = [f"chair_{i:03}" for i in range(200)]


def subset(model_ids, pose_fraction, seed=0):
    chairs = ["chair"] * len(model_ids)
    return {model_ids[i] for i in batches.labeled_subset(model_ids, chairs, pose_fraction, seed)}


@pytest.mark.parametrize(
    ("pose_fraction", "count"), [(0, 1), (0.001, 1), (0.01, 2), (0.1, 20), (0.5, 100), (1, 200)]
)
def test_a_share_of_the_shapes_is_labeled_at_least_one(pose_fraction, count):
    index = batches.labeled_subset(IDS, ["chair"] * len(IDS), pose_fraction, 0)
    assert len(index) == len(set(index)) == count
    assert (np.diff(index) > 0).all()
    assert set(index) <= set(range(200))


def test_smaller_shares_are_among_larger_ones():
    nested = [subset(IDS, share) for share in (0, 0.01, 0.1, 0.3, 0.5, 1)]
    for small, large in itertools.pairwise(nested):
        assert small < large


def test_the_labeled_shapes_depend_on_ids_and_seed_alone():
    expected = subset(IDS, 0.1)
    assert subset(IDS, 0.1) == expected
    assert subset(IDS[::-1], 0.1) == expected
    assert subset(np.array(IDS), 0.1) == expected
    assert subset(IDS, 0.1, seed=1) != expected
    # Pinned: later versions of the package are to label the same.
    assert subset(IDS, 0.02) == {"chair_020", "chair_068", "chair_087", "chair_174"}


def test_adding_shapes_reshuffles_none():
    everything = IDS + [f"new_{i}" for i in range(50)]
    # Of 250 shapes 40 are labeled: those of the old that are among them come first of the old.
    old = subset(everything, 0.16) & set(IDS)
    assert 20 < len(old) < 40
    assert old == subset(IDS, len(old) / 200)


def test_each_category_has_its_share():
    categories = np.array(["chair"] * 150 + ["car"] * 45 + ["lamp"] * 5)
    labeled = batches.labeled_subset(IDS, categories, 0.1, 0)
    counts = dict(zip(*np.unique(categories[labeled], return_counts=True), strict=True))
    assert counts == {"chair": 15, "car": 4, "lamp": 1}
    alone = batches.labeled_subset(IDS[:150], categories[:150], 0.1, 0)
    np.testing.assert_array_equal(labeled[labeled < 150], alone)


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


def take(count, shapes=SHAPES, labeled=LABELED, labeled_views=4, batch_size=8, seed=0, **options):
    data = batches.batch_dataset(shapes, labeled, labeled_views, batch_size, seed, **options)
    return list(data.take(count).as_numpy_iterator())


def find(masks, among=MASKS):
    """(shape, view) of each mask; exactly one must equal it."""
    equal = (masks[:, None, None] == among).all(axis=(3, 4, 5))
    assert (equal.sum(axis=(1, 2)) == 1).all()
    return np.argwhere(equal)[:, 1:]


@pytest.mark.parametrize("size", [8, 9, 11, 32])
def test_masks_come_out_as_they_were_packed(size):
    shapes, masks = make_shapes(size=size)
    np.testing.assert_array_equal(shapes.unpack_masks(np.arange(5)[:, None], np.arange(6)), masks)
    for batch in take(2, shapes):
        for name in ("view_a", "view_b", "unlabeled"):
            assert batch[name].shape == (8, size, size, 1)
            assert batch[name].dtype == np.float32
            find(batch[name], masks)


def test_a_pair_is_two_views_of_one_labeled_shape():
    seen = set()
    for batch in take(40):
        a, b = find(batch["view_a"]), find(batch["view_b"])
        np.testing.assert_array_equal(a[:, 0], b[:, 0])
        assert (a[:, 1] != b[:, 1]).all()
        np.testing.assert_array_equal(batch["viewpoint_a"], SHAPES.viewpoints[*a.T])
        np.testing.assert_array_equal(batch["viewpoint_b"], SHAPES.viewpoints[*b.T])
        seen |= {(shape, *views) for shape, *views in np.column_stack([a, b[:, 1]]).tolist()}
    # Every ordered pair of the labeled shapes' first four views, and nothing else.
    assert seen == {(s, *views) for s in LABELED for views in itertools.permutations(range(4), 2)}


def test_unlabeled_masks_are_all_views_of_all_shapes():
    seen = {tuple(pair) for batch in take(60) for pair in find(batch["unlabeled"]).tolist()}
    assert seen == set(itertools.product(range(5), range(6)))


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
def test_more_is_asked_for_than_there_is(options):
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


@pytest.mark.parametrize("mirror_views", [False, True])
def test_a_later_start_goes_on_with_the_same_batches(mirror_views):
    whole = take(6, mirror_views=mirror_views)
    assert_same(take(6, mirror_views=mirror_views), whole)
    assert_same(take(3, mirror_views=mirror_views, start=3), whole[3:])


def test_batches_differ_by_step_and_seed():
    first, second = take(2)
    for other in (second, take(1, seed=1)[0]):
        for name, value in first.items():
            assert (value != other[name]).any()


def test_what_is_drawn_for_one_purpose_tells_nothing_of_another():
    drawn = []
    for batch in take(100, labeled=range(5), labeled_views=6):
        a, b, alone = (find(batch[name]) for name in ("view_a", "view_b", "unlabeled"))
        drawn.append([*a.T, (b[:, 1] - a[:, 1]) % 6, *alone.T])
    correlation = np.corrcoef(np.concatenate(drawn, axis=1)) - np.eye(5)
    assert abs(correlation).max() < 0.12  # of 800 pairs


HULLS = np.random.default_rng(1).integers(0, 256, (len(LABELED), 32, 32, 32), np.uint8)


def test_hulls_come_out_as_likelihoods_mirrored_or_not():
    hulls = HULLS.astype(np.float32) / 255
    both = np.concatenate([hulls, hulls[..., ::-1]])
    for mirror_views, possible in ((False, hulls), (True, both)):
        seen = np.concatenate([b["hull"] for b in take(6, hulls=HULLS, mirror_views=mirror_views)])
        assert seen.dtype == np.float32
        equal = (seen[:, None] == possible).all(axis=(2, 3, 4))
        assert (equal.sum(axis=1) == 1).all()
        assert equal.any(axis=0).all()  # each turns up among 48


def test_hulls_leave_the_rest_of_a_batch_as_it_is():
    for with_hulls, without in zip(take(2, hulls=HULLS), take(2), strict=True):
        assert with_hulls.pop("hull").shape == (8, 32, 32, 32)
        np.testing.assert_array_equal(with_hulls.pop("warp_strength"), np.float32([0.25] * 8))
        assert_same([with_hulls], [without])


def test_labeled_pairs_may_be_fewer():
    batch = take(1, labeled_batch_size=3, hulls=HULLS)[0]
    assert {name: len(value) for name, value in batch.items()} == {
        "view_a": 3,
        "view_b": 3,
        "viewpoint_a": 3,
        "viewpoint_b": 3,
        "unlabeled": 8,
        "hull": 8,
        "warp_strength": 8,
    }
    find(batch["view_a"])  # each a mask of the data set


def test_some_shapes_are_mirrored_and_each_hull_has_its_own_strength():
    may = np.array([True, True, False, False, True])  # shapes 1, 3 and 4 are labeled
    strengths = np.float32([0.1, 0.2, 0.3])
    hulls = HULLS.astype(np.float32) / 255
    options = {"hulls": HULLS, "warp_strength": strengths, "mirror_views": may}
    flipped = collections.Counter()
    for batch, plain in zip(take(20, **options), take(20, hulls=HULLS), strict=True):
        for mask, original in zip(batch["unlabeled"], plain["unlabeled"], strict=True):
            shape = find(original[None])[0, 0]
            flipped["unlabeled", shape] += (mask != original).any()
        for a, original in zip(batch["view_a"], plain["view_a"], strict=True):
            flipped["pair", find(original[None])[0, 0]] += (a != original).any()
        for hull, strength in zip(batch["hull"], batch["warp_strength"], strict=True):
            row = list(strengths).index(strength)
            mirrored = (hull == hulls[row][..., ::-1]).all()
            assert mirrored or (hull == hulls[row]).all()
            flipped["hull", LABELED[row]] += mirrored
    for (what, shape), count in flipped.items():
        assert (count > 0) == may[shape], what


def test_mirrored_batches_are_masks_of_mirrored_shapes():
    plain, mirrored = take(20), take(20, mirror_views=True)
    shares = {"pair": [], "unlabeled": []}
    for batch, other in zip(plain, mirrored, strict=True):
        flipped = (batch["unlabeled"] != other["unlabeled"]).any(axis=(1, 2, 3))
        expected = np.where(
            flipped[:, None, None, None], batch["unlabeled"][:, :, ::-1], batch["unlabeled"]
        )
        np.testing.assert_array_equal(other["unlabeled"], expected)
        shares["unlabeled"].append(flipped.mean())
        # Both views of a pair alike, each with its viewpoint.
        flipped = (batch["view_a"] != other["view_a"]).any(axis=(1, 2, 3))
        for view in "ab":
            masks = batch[f"view_{view}"]
            expected = np.where(flipped[:, None, None, None], masks[:, :, ::-1], masks)
            np.testing.assert_array_equal(other[f"view_{view}"], expected)
            sign = np.where(flipped[:, None], (1, -1), 1)
            np.testing.assert_array_equal(
                other[f"viewpoint_{view}"], batch[f"viewpoint_{view}"] * sign
            )
        shares["pair"].append(flipped.mean())
    for share in shares.values():
        assert np.mean(share) == pytest.approx(0.5, abs=0.12)
