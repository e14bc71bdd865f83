"""A row of the benchmark's table, and how it is measured.

Ours and the reference take turns, so that other work of the machine slows down both.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence


@dataclasses.dataclass
class Row:
    """One row of the table.

    Attributes:
      name: what was measured.
      value: the median of ours.
      unit: unit of `value`, `reference` and `spread`.
      reference: the median of the reference, or a limit that was set.
      ratio: how many times better ours is; None if there is no reference.
      target: the smallest ratio that is good enough; None if there is no target.
      spread: smallest and largest value of ours.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: float | None = None
    spread: tuple[float, float] | None = None


def times(functions: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Measure functions that take turns.

    Args:
      functions: the functions to call.
      repeats: rounds that are counted; one round before them is not.

    Returns:
      The seconds of each counted call, for each function.
    """
    seconds: list[list[float]] = [[] for _ in functions]
    for round_ in range(repeats + 1):
        for function, taken in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            if round_:
                taken.append(time.perf_counter() - started)
    return seconds


def faster(
    name: str,
    unit: str,
    scale: float,
    ours: Sequence[float],
    reference: Sequence[float],
    target: float | None,
) -> Row:
    """Return the row of two lists of seconds.

    Args:
      name: what was measured.
      unit: unit of the row.
      scale: how many units a second has.
      ours: seconds of our calls.
      reference: seconds of the reference's calls.
      target: the smallest ratio that is good enough.
    """
    ours, reference = ([second * scale for second in taken] for taken in (ours, reference))
    value, other = statistics.median(ours), statistics.median(reference)
    return Row(name, value, unit, other, other / value, target, (min(ours), max(ours)))
