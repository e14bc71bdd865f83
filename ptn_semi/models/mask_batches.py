"""Batches of masks that callers give to networks.

They are checked and converted before TensorFlow sees them. A compiled function that refuses its
arguments keeps a lock, and every other thread that calls it then waits for ever.
"""

from typing import Any

import numpy as np

from ptn_semi.utils import arrays


def check(masks: Any, side: int) -> np.ndarray:
    """Return masks, array-like [B, side, side, 1] in [0, 1], as float32.

    Raises:
      ValueError: if they have another shape, there are none, or they hold other numbers.
    """
    return _check(masks, side, "B")


def check_views(masks: Any, side: int) -> np.ndarray:
    """Return K masks of each object, array-like [B, K, side, side, 1] in [0, 1], as float32.

    Raises:
      ValueError: if they have another shape, there are none, or they hold other numbers.
    """
    return _check(masks, side, "B, K")


def _check(masks: Any, side: int, axes: str) -> np.ndarray:
    shape = np.shape(masks)
    num_axes = axes.count(",") + 1
    if len(shape) != num_axes + 3 or shape[num_axes:] != (side, side, 1) or 0 in shape:
        raise ValueError(
            f"masks must be [{axes}, {side}, {side}, 1], not {list(shape)}: "
            f"{_find_fix(shape, side, num_axes)}"
        )
    return arrays.as_shares(masks, "masks", "divide by 255 if they go from 0 to 255")


def _find_fix(shape: tuple[int, ...], side: int, num_axes: int) -> str:
    """Return what to do with an array of another shape."""
    if 0 in shape:
        return "pass at least one mask"
    has_channel = shape[-1:] == (1,)
    if (shape[-3:-1] if has_channel else shape[-2:]) != (side, side):
        return f"make each mask with framing.frame(silhouette, {side}, extent)"
    missing = num_axes + 2 + has_channel - len(shape)
    if missing < 0:
        return "leave out the other axes"
    index = ["None"] * missing + ([] if has_channel else ["...", "None"])
    return f"pass masks[{', '.join(index)}]"
