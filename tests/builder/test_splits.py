"""Which shapes are in which split."""

import collections

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


def test_of_a_dozen_shapes_each_split_gets_one_and_no_other_is_moved():
    all_of_them = assign(chairs(f"chair/{i}.obj" for i in range(1200)))
    moved = collections.Counter()
    for i in range(0, 1200, 12):
        alone = assign(chairs(f"chair/{j}.obj" for j in range(i, i + 12)))
        by_hash = [all_of_them[name] for name in alone]
        changed = [
            split for split, hashed in zip(alone.values(), by_hash, strict=True) if split != hashed
        ]
        assert sorted(changed) == sorted({"train", "validation", "test"} - set(by_hash))
        moved.update(changed)
    assert moved["validation"] > 10 and moved["train"] == 0
    two = chairs(["chair/0.obj", "chair/1.obj"])
    assert assign(two) == {each.model_id: all_of_them[each.model_id] for each in two}
