"""Measures what this package is to be fast at, beside plain references, in one run.

    python -m tools.benchmark --json=benchmark.json --plot=benchmark.png

--manual_dir names a folder of real 32³ shapes for the rate of building (procedural ones without).
--sections picks some; growth, scale (10 minutes each) and quality (up to 20, real chairs alone)
only run when named. Nothing else should run meanwhile. Needs the test extra; torch is compared with
where it is installed.
"""

import dataclasses
import json
import os
import pathlib
import platform

import numpy as np
import tqdm
from absl import flags
from PIL import Image, ImageDraw, ImageFont

from ptn_semi.utils import cli, cpu, files

with cli.loading():
    import tensorflow as tf

    from ptn_semi.visual import sheets
    from tools.benchmarks import inference, measurements, quality, whole_processes

_SECTIONS = {
    **measurements.SECTIONS,
    **whole_processes.SECTIONS,
    "inference": inference.inference,
    "quality": quality.quality,
}
_LONG = ("growth", "scale", "quality")

FLAGS = flags.FLAGS
flags.DEFINE_multi_enum(
    "sections",
    [name for name in _SECTIONS if name not in _LONG],
    list(_SECTIONS),
    "What to measure; give it again for more.",
)
flags.DEFINE_integer("repeats", 9, "Repetitions, of which the median counts.", lower_bound=1)
flags.DEFINE_integer("growth_steps", 2000, "Steps of the section growth.", lower_bound=201)
flags.DEFINE_multi_integer(
    "shapes", [1000, 10_000, 51_000], "Sizes of the section scale.", lower_bound=10
)
flags.DEFINE_float(
    "quality_minutes", 10, "Longest training of the section quality.", lower_bound=0.1
)
flags.DEFINE_string("manual_dir", "", "Folder laid out as ShapeNetVox32.")
flags.DEFINE_string("json", "", "File for the rows.")
flags.DEFINE_string("plot", "", "PNG of the ratios.")


@dataclasses.dataclass
class Options:
    """What the sections need to know."""

    repeats: int
    growth_steps: int
    shapes: tuple[int, ...]
    manual_dir: str
    quality_minutes: float


# Instruction sets that decide how fast networks are.
_FASTER = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}


def describe_machine():
    """The machine in words, for the JSON."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    sets = " ".join(sorted(cpu.instruction_sets() & _FASTER)) or "no instruction sets named"
    return (
        f"{model} ({sets}), {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"oneDNN {'on' if cpu.onednn_is_on() else 'off'}"
    )


def line(row):
    """A row of the table."""
    number = lambda x, digits=4: "" if x is None else f"{x:.{digits}g}"
    spread = "–".join(number(x, 3) for x in row.spread or ())
    cells = [f"{number(row.value):>8} {row.unit:12}", f"{spread:>14} {number(row.reference):>9}"]
    ratio = f"{number(row.ratio, 3)}×" if row.ratio else ""
    target = f"{number(row.target, 3)}×" if row.target else ""
    mark = "" if not row.target else "met" if row.ratio >= row.target else "short"
    return f"{row.name:48}" + " ".join(cells) + f" {ratio:>7} {target:>6} {mark}"


HEADER = (
    f"{'what':48}{'ours':>8} {'unit':12} {'spread':>14} {'reference':>9} {'ratio':>7} {'target':>6}"
)


def plot(rows):
    """Bars of ratio over target; the line is the target."""
    rows = [row for row in rows if row.target]
    font, height, left, full = ImageFont.load_default(size=14), 24, 380, 840
    image = Image.new("RGB", (left + full // 2 + 120, height * len(rows) + 20), "white")
    draw = ImageDraw.Draw(image)
    unit = full // 6  # a bar ends at three times the target
    for number, row in enumerate(rows):
        y = 10 + number * height
        share = row.ratio / row.target
        name = row.name.replace("³", "^3")  # the font has no ³ and no ×
        draw.text((left - 8, y + 10), name, "black", font, anchor="rm")
        end = left + int(unit * min(3, share))
        draw.rectangle([left, y + 3, end, y + 17], "#3b7dd8" if share >= 1 else "#d8663b")
        draw.text((end + 6, y + 10), f"{row.ratio:.3g}x of {row.target:g}x", "black", font, "lm")
    draw.line([left + unit, 4, left + unit, image.height - 4], "black", 2)
    return image


def main():
    """Measures, prints, and writes what was asked for."""
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
    cli.run(main)
