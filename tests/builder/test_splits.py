"""Which shapes are in which split."""

import collections

import pytest

from shapenet_posed_masks.sources.base import Item
from shapenet_posed_masks.splits import assign


def chairs(model_ids):
    return [Item(model_id, "chair", "") for model_id in model_ids]


def test_splits_are_stable_and_have_the_right_shares():
    others = [Item("02691156/airplane_17", "airplane", "")]
    splits = assign(others + chairs(["03001627/chair_12"]))
    assert splits == {"02691156/airplane_17": "test", "03001627/chair_12": "validation"}
    splits = assign(chairs(f"03001627/{i}" for i in range(5000)))
    count = collections.Counter(splits.values())
    for split, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert abs(count[split] / 5000 - share) < 0.02


@pytest.mark.parametrize("number", [2, 3, 12])
def test_three_shapes_are_in_three_splits_and_no_more_than_that_is_moved(number):
    by_hash = assign(chairs(f"chair/{i}.obj" for i in range(1200)))
    for i in range(0, 1200, number):
        alone = assign(chairs(f"chair/{j}.obj" for j in range(i, i + number)))
        moved = [split for name, split in alone.items() if split != by_hash[name]]
        missing = {"train", "validation", "test"} - {by_hash[name] for name in alone}
        assert sorted(moved) == (sorted(missing) if number > 2 else [])
