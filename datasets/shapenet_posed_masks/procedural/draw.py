"""Random choices that are the same on every platform and under every NumPy."""

import hashlib

import numpy as np


class Draw:
    """The random choices of one shape, a pure function of its key.

    Built on the raw output of a bit generator, which NumPy promises never to change, rather than on
    `Generator`'s distributions, which it may.
    """

    def __init__(self, *key):
        digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))

    def _unit(self):
        return (int(self._bits.random_raw()) >> 11) / (1 << 53)

    def __call__(self, low, high):
        """Returns a float, uniform in [low, high)."""
        return low + (high - low) * self._unit()

    def chance(self, probability):
        """Returns True with the given probability."""
        return self._unit() < probability

    def count(self, low, high):
        """Returns an int, uniform in low ... high, both inclusive."""
        return low + int((high - low + 1) * self._unit())

    def pick(self, *options):
        """Returns one of the options; one that is listed twice is twice as likely."""
        return options[int(len(options) * self._unit())]
