"""The sections of `tools/benchmark.py`: generators of rows.

Each gets the number of repetitions of which the median is taken, and the folder with the layout of
ShapeNetVox32, '' for procedural shapes.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

import ptn_semi
from ptn_semi import settings
from ptn_semi.data import batches, preparation, splits
from ptn_semi.data.hulls import of_hulls
from ptn_semi.data.supervision import Supervision
from ptn_semi.inference import exports, images_to_shapes, reconstruction
from ptn_semi.models import architectures, checkpoints
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.projector import Projector
from ptn_semi.training.start import build_model
from ptn_semi.utils import flags
from tools.benchmarks import references

_PACKAGE = pathlib.Path(ptn_semi.__file__).parent


@dataclasses.dataclass
class Row:
    """One row of the table."""

    name: str  # what was measured
    value: float  # the median of our measurements
    unit: str  # of `value`, `spread` and `reference`
    spread: tuple[float, float] | None = None  # the smallest and largest of our measurements
    reference: float | None = None  # the median of the reference


def times(functions: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Return the seconds of each call of some functions, after a call that is not counted.

    They take turns, so that other work of the machine slows all of them down.
    """
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats + 1):
        for function, taken in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            function()
            taken.append(time.perf_counter() - started)
    return [taken[1:] for taken in seconds]


def row(
    name: str, unit: str, scale: float, ours: Sequence[float], reference: Sequence[float] = ()
) -> Row:
    """Return the row of measured seconds; `scale` is how many units a second has."""
    spread = scale * min(ours), scale * max(ours)
    compared = scale * statistics.median(reference) if reference else None
    return Row(name, scale * statistics.median(ours), unit, spread, compared)


def projector(repeats: int, manual_dir: str) -> Iterator[Row]:
    """Measure the projector's forward and backward pass against eight gathers."""
    for size, batch in ((32, 32), (64, 16)):
        voxels = tf.random.stateless_uniform([batch, size, size, size], [0, 1]) / 8
        viewpoints = geometry.sample_viewpoints(batch, [0, 2])
        upstream = tf.random.stateless_normal([batch, size, size, 1], [0, 3])
        gathers = lambda pair, size=size: references.project_with_gathers(pair[0], pair[1], size)
        functions = [
            _forward_and_backward(project, voxels, viewpoints, upstream)
            for project in (Projector(size), Projector(size, sampling="smooth"), gathers)
        ]
        *ours, plain = times(functions, repeats)
        for sampling, taken in zip(("nearest", "smooth"), ours, strict=True):
            name = f"projector {size}³, {sampling}, against 8 gathers"
            yield row(name, "µs/image", 1e6 / batch, taken, plain)


def _forward_and_backward(project, voxels, viewpoints, upstream):
    @tf.function(jit_compile=False)
    def run():
        with tf.GradientTape() as tape:
            tape.watch([voxels, viewpoints])
            masks = project([voxels, viewpoints])
        return tape.gradient(masks, [voxels, viewpoints], upstream, "zero")

    return lambda: [gradient.numpy() for gradient in run()]


def step(repeats: int, manual_dir: str) -> Iterator[Row]:
    """Measure a training step: the paper's against the unfused recipe, and that of semi.flags."""
    batch = next(iter(batches.batch_dataset(supervise(random_shapes(64)), 32, seed=0)))
    for preset in architectures.PRESETS:
        single, half = (preset_model(preset, name) for name in ("float32", "mixed_bfloat16"))
        plain = preset_model(preset)
        plain.networks.generator = references.plain_layers(plain.networks.generator)
        plain.generator_optimizer = keras.optimizers.Adam(1e-3, 0.5, 0.9)
        plain.generator_optimizer.build(plain.networks.generator.trainable_variables)
        unfused = lambda batch, model=plain: references.unfused_step(model, batch)
        functions = [_call(f, batch) for f in (single.train_step, half.train_step, unfused)]
        rounds = repeats if preset == "small" else min(3, repeats)
        ours, ours_half, theirs = times(functions, rounds)
        yield row(f"step, {preset}, against unfused", "s", 1, ours, theirs)
        yield row(f"step, {preset}, mixed_bfloat16 against float32", "s", 1, ours_half, ours)
    coarse, fine = times([_semi_step(32), _semi_step(64)], repeats)
    yield row("step, semi.flags", "s", 1, coarse)
    yield row("step, semi.flags, 64³ against 32³", "s", 1, fine, coarse)


def _semi_step(size: int) -> Callable[[], object]:
    """Return a function that takes a step of semi.flags on shapes of noise, size³."""
    path = _PACKAGE / "configs" / "semi.flags"
    _, train = flags.read(path, settings.DataSettings, settings.TrainSettings)
    shapes = random_shapes(64, size=size)
    hulls = shapes.unpack_voxels(np.arange(64)).astype(np.uint8) * 255
    supervision = dataclasses.replace(supervise(shapes), occupancy=of_hulls(hulls))
    data = settings.DataSettings(voxel_size=size, image_size=size)
    model = build_model(data, train, supervision)
    dataset = batches.batch_dataset(
        supervision, train.batch_size, train.seed, train.labeled_batch_size
    )
    return _call(model.train_step, next(iter(dataset)))


def _call(train_step, batch):
    compiled = tf.function(train_step, jit_compile=False)
    return lambda: [loss.numpy() for loss in compiled(batch).values()]


def preset_model(preset: str, precision: str = "float32") -> SemiSupervisedReconstructor:
    """Return a compiled model with a preset's networks and the paper's losses."""
    train = settings.TrainSettings(preset=preset, precision=precision)
    return build_model(settings.DataSettings(), train, supervise(random_shapes(1)))


def random_shapes(count: int, size: int = 32) -> splits.Shapes:
    """Return shapes of noise, size³."""
    generator = np.random.default_rng(0)
    return splits.Shapes(
        model_ids=np.array([f"{i:06}" for i in range(count)]),
        categories=np.array(["noise"] * count),
        viewpoints=generator.uniform((-20, 0), (40, 360), (count, 5, 2)).astype(np.float32),
        masks=generator.integers(0, 256, (count, 5, size**2 // 8), np.uint8),
        voxels=generator.integers(0, 256, (count, size**3 // 8), np.uint8),
        image_size=size,
        voxel_size=size,
    )


def supervise(shapes: splits.Shapes) -> Supervision:
    """Return what a run learns from if all shapes are labeled and mirrored."""
    count = len(shapes)
    return Supervision(
        shapes,
        num_own=count,
        labeled=np.arange(count),
        labeled_views=5,
        occupancy=None,
        warp_strengths=np.full(count, 0.25, np.float32),
        may_mirror=np.ones(count, bool),
        symmetric=True,
    )


def input_pipeline(repeats: int, manual_dir: str) -> Iterator[Row]:
    """Measure the share of a training step that is spent waiting for the batch."""
    train_step = tf.function(preset_model("small").train_step)
    shapes = random_shapes(2000)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/masks.npy", shapes.masks)
        on_disk = np.load(f"{folder}/masks.npy", mmap_mode="r")
        for place, masks in (("memory", shapes.masks), ("disk", on_disk)):
            placed = dataclasses.replace(shapes, masks=masks)
            dataset = iter(batches.batch_dataset(supervise(placed), 32, seed=0))
            for _ in range(2):  # the first steps trace the graph and fill the buffers
                train_step(next(dataset))
            waited, started = 0.0, time.perf_counter()
            for _ in range(10 * repeats):
                asked = time.perf_counter()
                batch = next(dataset)
                waited += time.perf_counter() - asked
                train_step(batch)["reconstruction_loss"].numpy()
            share = 100 * waited / (time.perf_counter() - started)
            yield Row(f"waiting for data from {place}, small", share, "% of a step")


def build(repeats: int, manual_dir: str) -> Iterator[Row]:
    """Measure how many shapes per second are built with 24 views, including reading them."""
    data = settings.DataSettings(num_shapes=1000)
    if manual_dir:
        data = settings.DataSettings(dataset="shapenet_vox32", manual_dir=manual_dir)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        builder = preparation.prepare(dataclasses.replace(data, data_dir=folder))
        seconds = time.perf_counter() - started
    count = sum(split.num_examples for split in builder.info.splits.values())
    yield Row(f"building {count} shapes of {data.dataset}", count / seconds, "shapes/s")


def serving(repeats: int, manual_dir: str) -> Iterator[Row]:
    """Measure the SavedModel against the Keras model, and the way from an image to a mesh."""
    for preset in architectures.PRESETS:
        with tempfile.TemporaryDirectory() as folder:
            model = preset_model(preset)
            info = ModelInfo(model.settings, threshold=0.5, extent=0.9, categories=(), step=0)
            progress = checkpoints.Progress("noise")
            saved = checkpoints.save(folder, model, info, progress, keep=set())
            exported = exports.export(saved.path, pathlib.Path(folder, "1"), "saved_model")
            for batch in (1, 64):
                taken = times(_predictions(model, exported, batch), repeats)
                yield row(f"SavedModel, {preset}, batch {batch}, against Keras", "ms", 1000, *taken)
            if preset == "small":
                yield _image_to_mesh(reconstruction.load_model(exported), folder, repeats)


def _predictions(model, exported, batch):
    """Return two functions that reconstruct the same masks, with the SavedModel and with Keras."""
    masks = tf.cast(tf.random.stateless_uniform([batch, 32, 32, 1], [0, 1]) < 0.3, tf.float32)
    served = tf.saved_model.load(str(exported)).signatures["serving_default"]
    return [lambda: served(mask=masks)["voxels"].numpy(), lambda: model(masks).numpy()]


def _image_to_mesh(reconstructor, folder, repeats):
    image = _PACKAGE / "examples" / "chair.png"
    # The networks are not trained: their voxels are about 0.05.
    wanted = images_to_shapes.Options(threshold=0.04)
    run = lambda: list(images_to_shapes.reconstruct_files(reconstructor, [image], folder, wanted))
    return row("image to .glb and preview, small", "ms", 1000, *times([run], repeats))


SECTIONS = {
    "projector": projector,
    "step": step,
    "input": input_pipeline,
    "build": build,
    "serving": serving,
}
