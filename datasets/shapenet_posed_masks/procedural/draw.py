"""Random choices that are the same on every platform and with every version of NumPy."""

import hashlib
from typing import TypeVar

import numpy as np

_Option = TypeVar("_Option")


class Draw:
    """The random choices of one shape, which depend on its key alone.

    They are made from the raw output of a bit generator, which NumPy promises never to change. The
    distributions of `Generator` may change. Only the text of the `key` counts.
    """

    def __init__(self, *key: object):
        digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))

    def _unit(self):
        return (int(self._bits.random_raw()) >> 11) / (1 << 53)

    def __call__(self, low: float, high: float) -> float:
        """Return a float, uniform in [low, high)."""
        return low + (high - low) * self._unit()

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self._unit() < probability

    def count(self, low: int, high: int) -> int:
        """Return an int, uniform in low to high, both included."""
        return low + int((high - low + 1) * self._unit())

    def pick(self, *options: _Option) -> _Option:
        """Return one of the options. An option that is listed twice is twice as likely."""
        return options[int(len(options) * self._unit())]
