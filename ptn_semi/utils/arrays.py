"""Arrays that callers of the library give, checked and converted."""

from typing import Any

import numpy as np


def as_shares(values: Any, name: str, fix: str) -> np.ndarray:
    """Convert an array-like of numbers in [0, 1], of any type, to float32.

    Args:
      values: the array-like, such as a NumPy array or a tensor.
      name: what it is called in error messages.
      fix: what to pass in its place, e.g. "pass mask > 127".

    Raises:
      ValueError: if there are other numbers, or values that are not numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers from 0 to 1, not {array.dtype}: {fix}")
    if array.size and not (array.min() >= 0 and array.max() <= 1):  # NaN is neither
        raise ValueError(
            f"{name} must hold numbers from 0 to 1, and has {array.min():g} to {array.max():g}: "
            f"{fix}"
        )
    return array.astype(np.float32)
