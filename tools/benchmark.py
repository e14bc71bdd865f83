"""Measure the speed of this package against plain reference implementations.

    python -m tools.benchmark --json=benchmark.json --plot=benchmark.png

--manual_dir names a folder of real 32³ shapes for the rate of building; without it procedural
shapes are built. --sections picks sections. The sections growth and scale (10 minutes each) and
quality (up to 20 minutes, real chairs only) only run when they are named. Nothing else should run
at the same time. The test extra is needed. torch is compared with where it is installed.
"""

import dataclasses
import json
import os
import pathlib
import platform
from collections.abc import Sequence

import numpy as np
import tqdm
from absl import flags as absl_flags
from PIL import Image, ImageDraw, ImageFont

from ptn_semi.utils import cli, cpu, files

with cli.loading():
    import tensorflow as tf

    from ptn_semi.visual import sheets
    from tools.benchmarks import inference, measurements, quality, whole_processes
    from tools.benchmarks.rows import Row

_SECTIONS = {
    **measurements.SECTIONS,
    **whole_processes.SECTIONS,
    "inference": inference.inference,
    "quality": quality.quality,
}
_LONG = ("growth", "scale", "quality")

FLAGS = absl_flags.FLAGS


@dataclasses.dataclass
class Options:
    """Options of the sections.

    Attributes:
      repeats: repetitions of which the median is taken.
      growth_steps: training steps of the section growth.
      shapes: data set sizes of the section scale.
      manual_dir: folder with the layout of ShapeNetVox32; '' for procedural shapes.
      quality_minutes: longest training of the section quality.
    """

    repeats: int
    growth_steps: int
    shapes: tuple[int, ...]
    manual_dir: str
    quality_minutes: float


# Instruction sets that decide how fast networks run.
_FASTER = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}


def describe_machine() -> str:
    """Describe the machine in words."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    sets = " ".join(sorted(cpu.instruction_sets() & _FASTER)) or "no instruction sets named"
    return (
        f"{model} ({sets}), {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"oneDNN {'on' if cpu.onednn_is_on() else 'off'}"
    )


def line(row: Row) -> str:
    """Format a row of the table."""
    number = lambda x, digits=4: "" if x is None else f"{x:.{digits}g}"
    spread = "–".join(number(x, 3) for x in row.spread or ())
    cells = [f"{number(row.value):>8} {row.unit:12}", f"{spread:>14} {number(row.reference):>9}"]
    ratio = f"{number(row.ratio, 3)}×" if row.ratio else ""
    target = f"{number(row.target, 3)}×" if row.target else ""
    met = row.target and row.ratio is not None and row.ratio >= row.target
    mark = "" if not row.target else "met" if met else "short"
    return f"{row.name:48}" + " ".join(cells) + f" {ratio:>7} {target:>6} {mark}"


HEADER = (
    f"{'what':48}{'ours':>8} {'unit':12} {'spread':>14} {'reference':>9} {'ratio':>7} {'target':>6}"
)


def plot(rows: Sequence[Row]) -> Image.Image:
    """Draw a bar of ratio over target for each row with a target; the line is the target."""
    judged = [(row.name, row.ratio, row.target) for row in rows if row.ratio and row.target]
    font, height, left, full = ImageFont.load_default(size=14), 24, 380, 840
    image = Image.new("RGB", (left + full // 2 + 120, height * len(judged) + 20), "white")
    draw = ImageDraw.Draw(image)
    unit = full // 6  # a bar ends at three times the target
    for number, (name, ratio, target) in enumerate(judged):
        y = 10 + number * height
        share = ratio / target
        name = name.replace("³", "^3")  # the font has no ³ and no ×
        draw.text((left - 8, y + 10), name, "black", font, anchor="rm")
        end = left + int(unit * min(3, share))
        draw.rectangle([left, y + 3, end, y + 17], "#3b7dd8" if share >= 1 else "#d8663b")
        draw.text((end + 6, y + 10), f"{ratio:.3g}x of {target:g}x", "black", font, "lm")
    draw.line([left + unit, 4, left + unit, image.height - 4], "black", 2)
    return image


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_multi_enum(
        "sections",
        [name for name in _SECTIONS if name not in _LONG],
        list(_SECTIONS),
        "What to measure; repeat the flag for several sections.",
    )
    absl_flags.DEFINE_integer(
        "repeats", 9, "Repetitions of which the median is taken.", lower_bound=1
    )
    absl_flags.DEFINE_integer(
        "growth_steps", 2000, "Training steps of the section growth.", lower_bound=201
    )
    absl_flags.DEFINE_multi_integer(
        "shapes", [1000, 10_000, 51_000], "Data set sizes of the section scale.", lower_bound=10
    )
    absl_flags.DEFINE_float(
        "quality_minutes",
        10,
        "Longest training of the section quality, in minutes.",
        lower_bound=0.1,
    )
    absl_flags.DEFINE_string("manual_dir", "", "Folder with the layout of ShapeNetVox32.")
    absl_flags.DEFINE_string("json", "", "JSON file to write the rows to.")
    absl_flags.DEFINE_string("plot", "", "PNG file to draw the ratios in.")


def main() -> None:
    """Measure, print the table, and write the files that were asked for."""
    options = Options(
        FLAGS.repeats, FLAGS.growth_steps, FLAGS.shapes, FLAGS.manual_dir, FLAGS.quality_minutes
    )
    print(f"{describe_machine()}\n\n{HEADER}")
    rows = []
    for name in tqdm.tqdm(FLAGS.sections, desc="measuring", unit=" sections"):
        for row in _SECTIONS[name](options):
            rows.append(row)
            tqdm.tqdm.write(line(row))
    if FLAGS.json:
        text = json.dumps(
            {"machine": describe_machine(), "rows": [dataclasses.asdict(row) for row in rows]},
            indent=1,
            ensure_ascii=False,
        )
        with files.replacing(FLAGS.json) as partial:
            partial.write_text(text + "\n")
    if FLAGS.plot:
        sheets.save_png(FLAGS.plot, np.asarray(plot(rows)))


if __name__ == "__main__":
    cli.run(main, define_flags)
