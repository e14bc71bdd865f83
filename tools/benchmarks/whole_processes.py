"""The sections of `tools/benchmark.py` on whole processes: start, memory, growth and scale."""

import concurrent.futures
import dataclasses
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ptn_semi import settings
from ptn_semi.data import batches, preparation, splits
from ptn_semi.models import architectures
from tools.benchmarks.measurements import preset_model, random_shapes
from tools.benchmarks.rows import Row

if TYPE_CHECKING:
    from tools.benchmark import Options

_START = """
import time
def process_age():
    start = float(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    import os
    return float(open("/proc/uptime").read().split()[0]) - start / os.sysconf("SC_CLK_TCK")
from ptn_semi.utils import cli
with cli.loading():  # as commands do
    import absl, keras, numpy, PIL.Image, tensorflow, tensorboard, tensorflow_datasets, tqdm
packages = process_age()
import sys
from tools.benchmarks import whole_processes
train_step, batch = whole_processes.ready(sys.argv[1])
ready = process_age()
train_step(batch)["reconstruction_loss"].numpy()
print(packages, ready, process_age())
"""


def ready(data_dir: str) -> tuple[Callable, dict[str, tf.Tensor]]:
    """Return the training step and the first batch of the small preset.

    Args:
      data_dir: where the data set of `_STARTED` is prepared.
    """
    data = dataclasses.replace(_STARTED, data_dir=data_dir)
    builder = preparation.prepare(data)
    shapes = splits.load(builder, "train")
    splits.load(builder, "validation", with_voxels=True)
    labeled = batches.labeled_subset(shapes.model_ids, shapes.categories, 0.5, 0)
    model = preset_model(data, "small", "float32")
    batch = next(iter(batches.batch_dataset(shapes, labeled, 5, 32, 0, mirror_views=True)))
    return tf.function(model.train_step, jit_compile=False), batch


_STARTED = settings.DataSettings(categories=("chair", "table"), num_shapes=500)


def start(options: "Options") -> Iterator[Row]:
    """Measure the seconds from a process' start to the end of its first step on prepared data."""
    with tempfile.TemporaryDirectory() as folder:
        preparation.prepare(dataclasses.replace(_STARTED, data_dir=folder))
        parts = []
        for _ in range(3):
            output = subprocess.run(
                [sys.executable, "-c", _START, folder],
                check=True,
                capture_output=True,
                text=True,
                cwd=pathlib.Path(__file__).parents[2],
            ).stdout
            parts.append([float(number) for number in output.split()[-3:]])
    packages, own, whole = np.median(
        [(packages, ready - packages, done) for packages, ready, done in parts], axis=0
    )
    spread = min(done for *_, done in parts), max(done for *_, done in parts)
    yield Row("start to first step", whole, "s", 15, 15 / whole, 1, spread)
    yield Row("start: our own code", own, "s", 3, 3 / own, 1)
    yield Row("start: importing packages", packages, "s")


def memory(options: "Options") -> Iterator[Row]:
    """Measure the peak resident memory of a few steps of each preset, each in a new process."""
    for preset in architectures.PRESETS:
        yield Row(f"peak memory, {preset}, batch 32", _apart(_peak, preset), "MB")


def growth(options: "Options") -> Iterator[Row]:
    """Measure how the resident memory grows during a training."""
    first, last = _apart(_resident_after, 200, options.growth_steps)
    yield Row("resident memory at step 200", first, "MB")
    yield Row(f"growth from step 200 to {options.growth_steps}", last - first, "MB")


def scale(options: "Options") -> Iterator[Row]:
    """Measure building, memory and step time with ever larger procedural data sets."""
    for count in options.shapes:
        with tempfile.TemporaryDirectory() as folder:
            data = settings.DataSettings(num_shapes=count, data_dir=folder)
            built = _apart(_build_seconds, data)
            loaded, resident, seconds = _apart(_train_on, data)
        yield Row(f"{count} shapes: build", built, "s")
        yield Row(f"{count} shapes: read", loaded, "s")
        limit = 3000
        yield Row(f"{count} shapes: peak memory", resident, "MB", limit, limit / resident, 1)
        yield Row(f"{count} shapes: step", seconds, "s")


def _apart(function, *arguments):
    """Call a function in a new process."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def _peak_mb():
    # getrusage would count the memory that the parent had when it started this process.
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def _resident_mb():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _steps(shapes, preset, count, batch_size=32):
    """Train for some steps and yield after each."""
    model = preset_model(settings.DataSettings(), preset, "float32")
    train_step = tf.function(model.train_step, jit_compile=False)
    data = batches.batch_dataset(
        shapes, np.arange(len(shapes)), 5, batch_size, 0, mirror_views=True
    )
    for batch in data.take(count):
        train_step(batch)["reconstruction_loss"].numpy()
        yield


def _peak(preset):
    for _ in _steps(random_shapes(64), preset, 3):
        pass
    return _peak_mb()


def _resident_after(first, last):
    for number, _ in enumerate(_steps(random_shapes(2000, 24), "small", last), 1):
        if number == first:
            early = _resident_mb()
    return early, _resident_mb()


def _build_seconds(data):
    started = time.perf_counter()
    preparation.prepare(data)
    return time.perf_counter() - started


def _train_on(data):
    """Train on a prepared set; return seconds to read, peak memory in MB, seconds of a step."""
    started = time.perf_counter()
    builder = preparation.prepare(data)
    shapes = splits.load(builder, "train")
    loaded = time.perf_counter() - started
    splits.load(builder, "validation", with_voxels=True)
    moments = []
    for _ in _steps(shapes, "small", 20):
        moments.append(time.perf_counter())
    return loaded, _peak_mb(), float(np.median(np.diff(moments)))


SECTIONS = {"start": start, "memory": memory, "growth": growth, "scale": scale}
