"""The sections of `tools/benchmark.py` on training, each a generator of rows."""

import dataclasses
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ptn_semi import settings
from ptn_semi.data import batches, preparation, splits
from ptn_semi.evaluation import scoring
from ptn_semi.models import architectures
from ptn_semi.models.predictor import Predictor
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.projector import Projector
from ptn_semi.training.start import build as build_model
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError
from tools.benchmarks import references
from tools.benchmarks.rows import Row, faster, times

if TYPE_CHECKING:
    from tools.benchmark import Options


def limits(options: "Options") -> Iterator[Row]:
    """Measure what the machine can do at most, to judge the other rows by."""
    block = np.ones(64 << 20, np.float32)
    target = np.empty_like(block)
    (copy,) = times([lambda: np.copyto(target, block)], options.repeats)
    bandwidth = 2 * block.nbytes / statistics.median(copy) / 1e9
    yield Row("memory bandwidth (copy, one thread)", bandwidth, "GB/s")
    for dtype in (tf.float32, tf.bfloat16):
        matrix = tf.cast(tf.random.normal([2048, 2048]), dtype)
        product = lambda m=matrix: tf.matmul(m, m).numpy()
        (taken,) = times([product], options.repeats)
        rate = 2 * 2048**3 / statistics.median(taken) / 1e9
        yield Row(f"matrix product, {dtype.name}", rate, "GFLOP/s")


def projector(options: "Options") -> Iterator[Row]:
    """Measure the projector forward and back to the voxels and, if smooth, the viewpoints."""
    for size, batch, targets in ((32, 32, (25, 10)), (64, 16, (15, None))):
        voxels = tf.random.stateless_uniform([batch, size, size, size], [0, 1]) / 8
        viewpoints = geometry.sample_viewpoints(batch, [0, 2])
        upstream = tf.random.stateless_normal([batch, size, size, 1], [0, 3])
        gathers = lambda pair, size=size: references.project_with_gathers(pair[0], pair[1], size)
        functions = [
            _forward_and_backward(project, voxels, viewpoints, upstream)
            for project in (Projector(size), Projector(size, sampling="smooth"), gathers)
        ]
        torch_function = _torch(voxels, viewpoints, upstream) if size == 32 else None
        *ours, plain = times(functions, options.repeats)
        scale = 1e6 / batch
        for name, taken, target in zip(("nearest", "smooth"), ours, targets, strict=True):
            title = f"projector {size}³, {name}, against 8 gathers"
            yield faster(title, "µs/image", scale, taken, plain, target)
        if torch_function:
            (taken,) = times([torch_function], options.repeats)
            for name, mine, target in zip(("nearest", "smooth"), ours, (4, 2), strict=True):
                title = f"projector {size}³, {name}, against torch grid_sample"
                yield faster(title, "µs/image", scale, mine, taken, target)


def _forward_and_backward(project, voxels, viewpoints, upstream):
    @tf.function(jit_compile=False)
    def run():
        with tf.GradientTape() as tape:
            tape.watch([voxels, viewpoints])
            masks = project([voxels, viewpoints])
        return tape.gradient(masks, [voxels, viewpoints], upstream, "zero")

    return lambda: [gradient.numpy() for gradient in run()]


def _torch(voxels, viewpoints, upstream):
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count())
    grids, views = (torch.tensor(x.numpy(), requires_grad=True) for x in (voxels, viewpoints))
    upstream = torch.tensor(upstream.numpy())
    return lambda: references.project_with_torch(grids, views).backward(upstream)


def step(options: "Options") -> Iterator[Row]:
    """Measure a pair of iterations: ours in both precisions, and the unfused recipe."""
    for preset, batch, target in (("small", 32, 2.5), ("paper", 32, 1.9)):
        data = settings.DataSettings()
        shapes = random_shapes(64)
        example = next(iter(batches.batch_dataset(shapes, np.arange(64), 5, batch, seed=0)))
        functions = []
        for precision in architectures.PRECISIONS:
            model = preset_model(data, preset, precision)
            functions.append(tf.function(model.train_step, jit_compile=False))
        plain = preset_model(data, preset, "float32")
        plain.generator = references.plain_layers(plain.generator)
        plain.generator_optimizer = keras.optimizers.Adam(1e-3, 0.5, 0.9)
        plain.generator_optimizer.build(plain.generator.trainable_variables)
        functions.append(
            tf.function(lambda b, m=plain: references.unfused_step(m, b), jit_compile=False)
        )
        calls = [lambda f=f, b=example: [x.numpy() for x in f(b).values()] for f in functions]
        repeats = options.repeats if preset == "small" else min(3, options.repeats)
        single, half, unfused = times(calls, repeats)
        yield faster(f"step, {preset}, against unfused", "s", 1, single, unfused, target)
        title = f"step, {preset}, mixed_bfloat16 against float32"
        yield faster(title, "s", 1, half, single, 1.3 if preset == "paper" else None)
        rate = _step_flops(plain, batch) / statistics.median(single) / 1e9
        yield Row(f"step, {preset}, arithmetic of the networks", rate, "GFLOP/s")
        if preset == "small":
            calls = [_semi_call(64), _semi_call(32), calls[0]]
            fine, ours, pair = times(calls, repeats)
            yield faster(
                "step, small, semi.flags against the paper's pair", "s", 1, ours, pair, None
            )
            yield faster("step, small, semi.flags, 64³ against 32³", "s", 1, fine, ours, 1 / 4)


def _semi_call(size):
    """Return a function that does a step of our recipe on shapes of noise, size³, and masks."""
    path = pathlib.Path(settings.__file__).parent / "configs" / "semi.flags"
    _, train = flags.read(path, settings.DataSettings, settings.TrainSettings)
    data = settings.DataSettings(voxel_size=size, image_size=size)
    model = build_model(data, train, train.mirror_views)
    shapes = random_shapes(64, size=size)
    batch = next(
        iter(
            batches.batch_dataset(
                shapes,
                np.arange(64),
                train.labeled_views,
                train.batch_size,
                train.seed,
                labeled_batch_size=train.labeled_batch_size,
                hulls=shapes.unpack_voxels(np.arange(64)).astype(np.uint8) * 255,
            )
        )
    )
    train_step = tf.function(model.train_step, jit_compile=False)
    return lambda: [x.numpy() for x in train_step(batch).values()]


def preset_model(
    data: settings.DataSettings, preset: str, precision: str
) -> SemiSupervisedReconstructor:
    """Return a compiled model of a preset."""
    train = settings.TrainSettings(preset=preset, precision=precision)
    return build_model(data, train, train.mirror_views)


def _step_flops(model, batch):
    """Count the operations of convolutions and dense layers in a step; backward counts double.

    In the supervised part E and G see 2·batch. In the adversarial part G makes a batch. D sees real
    and fake masks for its own loss, the fakes for G's loss, and real masks for the penalty, which
    costs as much as about six forward passes.
    """
    encoder, generator, discriminator = (
        sum(_layer_flops(layer) for layer in network.layers)
        for network in (model.encoder, model.generator, model.discriminator)
    )
    return batch * (6 * encoder + 9 * generator + (6 + 2 + 6) * discriminator)


def _layer_flops(layer):
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    if (
        "transpose" in type(layer).__name__.lower()
    ):  # the whole kernel meets every place of the input
        places = int(np.prod(layer.input.shape[1:-1]))
    else:
        places = int(np.prod(layer.output.shape[1:-1]))
    return 2 * places * int(np.prod(kernel.shape))


def random_shapes(count: int, views: int = 5, size: int = 32) -> splits.Shapes:
    """Return shapes of noise, size³, for measurements that do not depend on their looks."""
    generator = np.random.default_rng(0)
    return splits.Shapes(
        model_ids=np.array([f"{i:06}" for i in range(count)]),
        categories=np.array(["noise"] * count),
        viewpoints=generator.uniform((-20, 0), (40, 360), (count, views, 2)).astype(np.float32),
        masks=generator.integers(0, 256, (count, views, size**2 // 8), np.uint8),
        voxels=generator.integers(0, 256, (count, size**3 // 8), np.uint8),
        image_size=size,
        voxel_size=size,
    )


def input_pipeline(options: "Options") -> Iterator[Row]:
    """Measure the share of a step of the small preset that is spent waiting for the batch."""
    step_ = tf.function(preset_model(settings.DataSettings(), "small", "float32").train_step)
    shapes = random_shapes(2000)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/masks.npy", shapes.masks)
        on_disk = np.load(f"{folder}/masks.npy", mmap_mode="r")
        for place, masks in (("memory", shapes.masks), ("disk", on_disk)):
            placed = dataclasses.replace(shapes, masks=masks)
            share = _waiting(step_, placed, 10 * options.repeats)
            name = f"waiting for data from {place}, small"
            yield Row(name, share, "% of a step", 2, 2 / share, 1)


def _waiting(step_, shapes, count):
    data = iter(batches.batch_dataset(shapes, np.arange(1000), 5, 32, 0, mirror_views=True))
    waits, wholes = [], []
    for number in range(count + 2):
        started = time.perf_counter()
        batch = next(data)
        waited = time.perf_counter()
        step_(batch)["reconstruction_loss"].numpy()
        if number >= 2:
            waits.append(waited - started)
            wholes.append(time.perf_counter() - started)
    return 100 * sum(waits) / sum(wholes)


def build(options: "Options") -> Iterator[Row]:
    """Measure the rate of building a data set with 24 views, including reading."""
    data = _built_data(options)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        builder = preparation.prepare(dataclasses.replace(data, data_dir=folder))
        seconds = time.perf_counter() - started
        count = sum(split.num_examples for split in builder.info.splits.values())
    name = f"building {count} shapes of {data.dataset}"
    yield Row(name, count / seconds, "shapes/s", 150, count / seconds / 150, 1)


def _built_data(options):
    if options.manual_dir:
        return settings.DataSettings(dataset="shapenet_vox32", manual_dir=options.manual_dir)
    return settings.DataSettings(num_shapes=1000)


def evaluate(options: "Options") -> Iterator[Row]:
    """Measure the scoring of predictions against scikit-learn, one example at a time."""
    try:
        from sklearn.metrics import average_precision_score, jaccard_score
    except ImportError as error:
        raise UserError("scikit-learn is missing: pip install -e '.[test]'") from error

    data = settings.DataSettings()
    predictor = Predictor(preset_model(data, "small", "float32"))
    shapes = random_shapes(64, views=2)
    found = {}

    def predicted():
        return list(predictor.batches(shapes, 2))

    def ours():
        found["ours"] = scoring.score_model(predictor, shapes)["mean"]

    def reference():
        precision, overlap = [], []
        for index, _, voxels in predicted():
            truth = shapes.unpack_voxels(index)
            for true, scores in zip(truth.reshape(len(truth), -1), voxels, strict=True):
                precision.append(average_precision_score(true, scores.ravel()))
                overlap.append([jaccard_score(true, scores.ravel() > t) for t in _CURVE])
        found["reference"] = np.mean(precision), np.mean(overlap, axis=0)

    mine, theirs = times([ours, reference], max(1, options.repeats // 3))
    precision, overlap = found["reference"]
    pairs = [(found["ours"]["average_precision"], precision)]
    pairs += [(found["ours"][f"iou_{t}"], iou) for t, iou in zip(_CURVE, overlap, strict=True)]
    difference = max(abs(a - b) for a, b in pairs)
    if difference > 1e-6:
        raise AssertionError(f"scores differ from scikit-learn's by {difference}")
    yield faster("evaluation, 128 masks, small", "s", 1, mine, theirs, 5)


_CURVE = (0.4, 0.5)


SECTIONS = {
    "limits": limits,
    "projector": projector,
    "step": step,
    "input": input_pipeline,
    "build": build,
    "evaluate": evaluate,
}
