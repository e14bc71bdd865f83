"""Measure the speed of this package against plain reference implementations.

    python -m tools.benchmark --json=benchmark.json

`--sections` picks what is measured. The section build takes procedural shapes, or the real ones of
`--manual_dir`. Nothing else should run on the machine meanwhile.
"""

import dataclasses
import json
import os
import pathlib
import platform

import tqdm
from absl import flags as absl_flags

from ptn_semi.utils import cli, cpu, files, flags

with cli.loading():
    import tensorflow as tf

    from tools.benchmarks import sections

FLAGS = absl_flags.FLAGS

# Instruction sets that decide how fast networks run.
_INSTRUCTION_SETS = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}
_HEADER = f"{'what':46}{'ours':>8} {'unit':12} {'spread':>14} {'reference':>9} {'ratio':>6}"


def describe_machine() -> str:
    """Describe the machine in words."""
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    sets = " ".join(sorted(cpu.instruction_sets() & _INSTRUCTION_SETS)) or "no instruction sets"
    return (
        f"{model} ({sets}), {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, "
        f"oneDNN {'on' if cpu.onednn_is_on() else 'off'}"
    )


def format_row(row: sections.Row) -> str:
    """Format a row of the table."""
    spread = "–".join(f"{value:.3g}" for value in row.spread or ())
    compared = f"{row.reference:9.4g} {row.reference / row.value:5.3g}×" if row.reference else ""
    return f"{row.name:46}{row.value:8.4g} {row.unit:12} {spread:>14} {compared}"


def define_flags() -> None:
    """Define the command's flags."""
    names = list(sections.SECTIONS)
    absl_flags.DEFINE_multi_enum("sections", names, names, "What to measure; may be repeated.")
    absl_flags.DEFINE_integer("repeats", 9, "Repetitions that a median is of.", lower_bound=1)
    absl_flags.DEFINE_string("manual_dir", "", "Folder with the layout of ShapeNetVox32.")
    absl_flags.DEFINE_string("json", "", "JSON file to write the rows to.")
    flags.keep_local("manual_dir", "json")


def main() -> None:
    """Measure, print the table, and write it to a file if that was asked for."""
    print(f"{describe_machine()}\n\n{_HEADER}")
    rows = []
    for name in tqdm.tqdm(FLAGS.sections, desc="measuring", unit=" sections"):
        for row in sections.SECTIONS[name](FLAGS.repeats, FLAGS.manual_dir):
            rows.append(dataclasses.asdict(row))
            tqdm.tqdm.write(format_row(row))
    if FLAGS.json:
        text = json.dumps({"machine": describe_machine(), "rows": rows}, indent=1)
        with files.replacing(FLAGS.json) as partial:
            partial.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    cli.run(main, define_flags)
