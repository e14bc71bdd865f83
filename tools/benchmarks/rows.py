"""A line of the benchmark's table, and how it is measured.

Ours and the reference take turns, so that what else the machine does falls on both.
"""

import dataclasses
import statistics
import time


@dataclasses.dataclass
class Row:
    """One line of the table.

    Attributes:
      name: what was measured.
      value, unit: the median of ours.
      reference: the median of what it is compared with, or the limit that was set, in that unit.
      ratio: how many times better ours is; None where there is nothing to compare with.
      target: the least ratio that is wanted.
      spread: smallest and largest value of ours.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: float | None = None
    spread: tuple[float, float] | None = None


def times(functions, repeats):
    """Seconds of each call of each function, which take turns; the first round is not counted."""
    seconds = [[] for _ in functions]
    for round_ in range(repeats + 1):
        for function, taken in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            if round_:
                taken.append(time.perf_counter() - started)
    return seconds


def faster(name, unit, scale, ours, reference, target):
    """The row of two lists of seconds."""
    ours, reference = ([second * scale for second in taken] for taken in (ours, reference))
    value, other = statistics.median(ours), statistics.median(reference)
    return Row(name, value, unit, other, other / value, target, (min(ours), max(ours)))
