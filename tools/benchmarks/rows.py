"""What the benchmark's sections get and yield, and how they time."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence


@dataclasses.dataclass
class Options:
    """Options of the sections.

    Attributes:
      repeats: repetitions of which the median is taken.
      manual_dir: folder with the layout of ShapeNetVox32; '' for procedural shapes.
    """

    repeats: int
    manual_dir: str = ""


@dataclasses.dataclass
class Row:
    """One row of the table.

    Attributes:
      name: what was measured.
      value: the median of our measurements.
      unit: unit of `value`, `spread` and `reference`.
      spread: the smallest and the largest of our measurements, or None.
      reference: the median of the reference, or None.
    """

    name: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None
    reference: float | None = None


def times(functions: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Time functions that take turns, so that other work of the machine slows all of them down.

    Args:
      functions: the functions to call.
      repeats: rounds that are counted, after one that is not.

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


def row(
    name: str, unit: str, scale: float, ours: Sequence[float], reference: Sequence[float] = ()
) -> Row:
    """Return the row of measured seconds.

    Args:
      name: what was measured.
      unit: unit of the row.
      scale: how many units a second has.
      ours: seconds of our calls.
      reference: seconds of the reference's calls, if there is a reference.
    """
    return Row(
        name,
        scale * statistics.median(ours),
        unit,
        (scale * min(ours), scale * max(ours)),
        scale * statistics.median(reference) if reference else None,
    )
