"""Which split each shape of the data set belongs to."""

import collections
import hashlib
from collections.abc import Iterable

from shapenet_posed_masks.sources.base import Item

# Cumulative shares, in thousandths of the hash range.
SPLITS: dict[str, int] = {"train": 700, "validation": 800, "test": 1000}


def assign(items: Iterable[Item]) -> dict[str, str]:
    """Assign shapes to splits.

    A hash of the model id decides, so that adding shapes moves no other. Only where that leaves a
    split of a category without shapes, it gets the one whose hash is nearest, so that a dozen
    shapes are enough to train on. Categories of one or two shapes stay as they are.

    Returns:
      {model id: split}, in the order of the items, which are all shapes of the data set.
    """
    chosen, categories = {}, collections.defaultdict(list)
    for item in items:
        position = _position(item.model_id)
        chosen[item.model_id] = next(split for split, end in SPLITS.items() if position < end)
        categories[item.category].append(item.model_id)
    for model_ids in categories.values():
        for split in SPLITS if len(model_ids) >= len(SPLITS) else ():
            count = collections.Counter(chosen[model_id] for model_id in model_ids)
            if not count[split]:
                largest = max(SPLITS, key=lambda name: count[name])
                candidates = [name for name in model_ids if chosen[name] == largest]
                nearest = min(candidates, key=lambda name: (_distance(name, split), name))
                chosen[nearest] = split
    return chosen


def _position(model_id: str) -> int:
    """Return where a model id's hash falls, in thousandths of the hash range."""
    digest = hashlib.sha256(model_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") * 1000 >> 64


def _distance(model_id: str, split: str) -> int:
    """Return how far a model id's hash is from a split's part of the hash range."""
    start = max((end for end in SPLITS.values() if end < SPLITS[split]), default=0)
    position = _position(model_id)
    return max(start - position, position - (SPLITS[split] - 1), 0)
