"""What `tools/benchmark.py` measures of trained models: a generator of rows."""

import pathlib
import statistics
import tempfile

import keras
import tensorflow as tf

import ptn_semi
from ptn_semi.inference import exports, images_to_shapes
from ptn_semi.models import architectures, checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from tools.benchmarks.rows import Row, faster, times

_IMAGE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"


def inference(options):
    """Answers of the SavedModel against the Keras model's, and images to meshes."""
    for preset in ("small", "paper"):
        with tempfile.TemporaryDirectory() as folder:
            model = SemiSupervisedReconstructor(architectures.PRESETS[preset])
            model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
            saved = checkpoints.save(folder, model, {}, keep=set())
            exported = exports.export(saved.path, pathlib.Path(folder) / "1", "saved_model")
            for batch in (1, 64):
                functions = _answers(model, exported, batch)
                title = f"SavedModel, {preset}, batch {batch}, against Keras"
                yield faster(title, "ms", 1000, *times(functions, options.repeats), None)
            if preset == "small":
                yield _images(options, images_to_shapes.load(exported), folder)


def _answers(model, exported, batch):
    """Functions that reconstruct a batch of masks, with the SavedModel and with Keras."""
    masks = tf.cast(tf.random.stateless_uniform([batch, 32, 32, 1], [0, 1]) < 0.3, tf.float32)
    signature = tf.saved_model.load(str(exported)).signatures["serving_default"]
    return [lambda: signature(mask=masks)["voxels"].numpy(), lambda: model(masks).numpy()]


def _images(options, reconstructor, folder):
    def run():
        # An untrained G's voxels are about .05.
        return list(
            images_to_shapes.reconstruct_files(
                reconstructor, [_IMAGE], folder, ["glb"], threshold=0.04
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
