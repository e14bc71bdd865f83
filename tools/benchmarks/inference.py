"""The section of `tools/benchmark.py` on trained models: a generator of rows."""

import pathlib
import statistics
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

import ptn_semi
from ptn_semi.inference import exports, images_to_shapes, reconstruction
from ptn_semi.models import architectures, checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from tools.benchmarks.rows import Row, faster, times

if TYPE_CHECKING:
    from tools.benchmark import Options

_IMAGE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"


def inference(options: "Options") -> Iterator[Row]:
    """Measure the SavedModel against the Keras model, and the way from an image to a mesh."""
    for preset in ("small", "paper"):
        with tempfile.TemporaryDirectory() as folder:
            model = SemiSupervisedReconstructor(architectures.PRESETS[preset])
            model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
            saved = checkpoints.save(folder, model, {}, keep=set())
            exported = exports.export(saved.path, pathlib.Path(folder) / "1", "saved_model")
            for batch in (1, 64):
                functions = _answers(model, exported, batch)
                title = f"SavedModel, {preset}, batch {batch}, against Keras"
                ours, plain = times(functions, options.repeats)
                yield faster(title, "ms", 1000, ours, plain, None)
            if preset == "small":
                yield _images(options, reconstruction.load_model(exported), folder)


def _answers(model, exported, batch):
    """Return two functions that reconstruct masks, with the SavedModel and with Keras."""
    masks = tf.cast(tf.random.stateless_uniform([batch, 32, 32, 1], [0, 1]) < 0.3, tf.float32)
    signature = tf.saved_model.load(str(exported)).signatures["serving_default"]
    return [lambda: signature(mask=masks)["voxels"].numpy(), lambda: model(masks).numpy()]


def _images(options, reconstructor, folder):
    def run():
        # The voxels of an untrained G are about 0.05.
        return list(
            images_to_shapes.reconstruct_files(
                reconstructor, [_IMAGE], folder, images_to_shapes.Options(threshold=0.04)
            )
        )

    (taken,) = times([run], options.repeats)
    taken = [second * 1000 for second in taken]
    return Row(
        "image to .glb and preview",
        statistics.median(taken),
        "ms",
        spread=(min(taken), max(taken)),
    )
