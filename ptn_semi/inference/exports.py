"""Exports of a trained model to formats that other programs run: SavedModel, TFLite, ONNX."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

import ptn_semi
from ptn_semi.inference.paths import check_export
from ptn_semi.models import checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.models.shipped import averaged_variables
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection.projector import Projector
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

EXTRA, METADATA = "assets.extra", "metadata.json"  # a folder of the SavedModel and its file
_WARMUP_BATCHES = (1, 8)  # batch sizes


class Servable(tf.Module):
    """The module that is exported: functions of the average networks, with each variable once.

    These signatures take any batch size B:

      serving_default: mask float32 [B, S, S, 1] in [0, 1] → voxels [B, N, N, N] in [0, 1] and
        latent [B, latent_dim].
      serving_uint8: the same for a mask uint8 [B, S, S, 1], of an object where it is ≥ 128.
      decode: latent → voxels of G, which R has not seen.
      project: voxels, viewpoint [B, 2] (elevation, azimuth) in degrees → mask.
      metadata: nothing → json, a string that holds `metadata`.

    Args:
      model: the trained model.
      metadata: a JSON-able dict; see `metadata`.

    Attributes:
      kept: the exported variables.
      metadata: `metadata` as JSON.
      functions: the signatures by name.
    """

    def __init__(self, model: SemiSupervisedReconstructor, metadata: dict[str, Any]):
        super().__init__()
        generator = model.average_generator
        # The networks are not kept: Keras would track their layers too, and write everything twice.
        self.kept: list[tf.Variable] = [variable.value for variable in averaged_variables(model)]
        # Some programs that run a SavedModel have no XLA.
        projector, coarse_projector = (
            Projector(side, model.camera, pooling=model.loss_settings.pooling, jit_compile=False)
            for side in (model.image_size, model.coarse_projector.image_size)
        )
        grid, image = (model.voxel_size,) * 3, (model.image_size,) * 2
        self.metadata = text = json.dumps(metadata, indent=1)

        def reconstruct(mask: tf.Tensor) -> dict[str, tf.Tensor]:
            voxels, latent = model.reconstruct(mask, coarse_projector)
            return {"voxels": voxels, "latent": latent}

        self.functions: dict[str, tf.types.experimental.PolymorphicFunction] = {
            "serving_default": _function(reconstruct, mask=(tf.float32, (*image, 1))),
            "serving_uint8": _function(
                lambda mask: reconstruct(tf.cast(mask >= 128, tf.float32)),
                mask=(tf.uint8, (*image, 1)),
            ),
            "decode": _function(
                lambda latent: {"voxels": generator(latent, training=False)},
                latent=(tf.float32, (model.architecture.latent_dim,)),
            ),
            "project": _function(
                lambda voxels, viewpoint: {"mask": projector([voxels, viewpoint])},
                voxels=(tf.float32, grid),
                viewpoint=(tf.float32, (2,)),
            ),
            "metadata": _function(lambda: {"json": tf.constant(text)}),
        }


def _function(function: Callable, **inputs: tuple) -> tf.types.experimental.PolymorphicFunction:
    """Return a `tf.function` whose named inputs are given as (dtype, shape without the batch)."""
    return tf.function(
        function,
        input_signature=[
            tf.TensorSpec((None, *shape), dtype, name) for name, (dtype, shape) in inputs.items()
        ],
        jit_compile=False,
    )


def metadata(
    checkpoint: checkpoints.Checkpoint, model: SemiSupervisedReconstructor
) -> dict[str, Any]:
    """Return what users of a model need to know besides its tensors' shapes.

    Args:
      checkpoint: the checkpoint of the model.
      model: the model that was loaded from it.

    Returns:
      A JSON-able dict: package, step, threshold, extent, categories, image_size, voxel_size,
      camera, model, axes.
    """
    best = checkpoint.progress.get("best") or {}
    return {
        "package": f"ptn_semi {ptn_semi.__version__}",
        "step": checkpoint.step,
        "threshold": best.get("threshold", 0.5),
        "extent": checkpoint.progress.get("extent"),
        "categories": checkpoint.progress.get("categories", []),
        "image_size": model.image_size,
        "voxel_size": model.voxel_size,
        "camera": model.camera.to_dict(),
        "model": model.get_config(),
        "axes": "voxels [x, y, z]: y up, front +x; viewpoint: elevation, azimuth in degrees",
    }


def export(workdir: str | os.PathLike, output: str | os.PathLike, kind: str) -> pathlib.Path:
    """Export the best checkpoint of a run.

    Args:
      workdir: the run's workdir, or a checkpoint's folder.
      output: the path to write, which must not exist yet: a folder named by a version number for
        saved_model, a file for the other formats.
      kind: one of `settings.EXPORT_FORMATS`.

    Returns:
      The path that was written.

    Raises:
      UserError: if there is no checkpoint, the output cannot be used, or a package is missing.
    """
    output = pathlib.Path(output)
    check_export(output, kind)
    write = {"saved_model": _write_saved_model, "tflite": _write_tflite, "onnx": _write_onnx}[kind]
    checkpoint = checkpoints.find(workdir)
    model = checkpoints.load_model(checkpoint)
    if kind == "tflite":
        model.average_generator = _with_plain_layers(model.average_generator)
        if model.average_refiner is not None:
            model.average_refiner = _with_plain_layers(model.average_refiner)
    servable = Servable(model, metadata(checkpoint, model))
    with files.replacing(output, tf.errors.OpError) as partial:
        write(servable, partial)
    return output


def read(path: str | os.PathLike) -> tuple[SemiSupervisedReconstructor, dict[str, Any]]:
    """Read a SavedModel that `export` wrote.

    The networks are built from the metadata and then filled with the stored variables. The
    SavedModel's graph is never run, since a graph may write files.

    Args:
      path: the SavedModel's folder.

    Returns:
      The model and its `metadata`.

    Raises:
      UserError: if it is damaged, or was written by another program.
    """
    path = pathlib.Path(path)
    fix = "give a folder that ptn_semi.export wrote, with all its files, or export it again"
    known = files.read_json(path / EXTRA / METADATA, fix)
    with checkpoints.refusing_others(path, fix):
        if not (0 < known["threshold"] < 1 and 0 < (known["extent"] or 1) <= 1):
            raise ValueError(f"threshold {known['threshold']}, extent {known['extent']}")
        model = checkpoints.model_of(known["model"])
        with files.without_patterns(path) as folder:
            variables = tf.train.load_checkpoint(f"{folder}/variables/variables")
            for i, variable in enumerate(averaged_variables(model)):
                variable.assign(variables.get_tensor(f"kept/{i}/.ATTRIBUTES/VARIABLE_VALUE"))
    return model, known


def _with_plain_layers(network: keras.Model) -> keras.Model:
    """Return a copy of G or R with a Keras layer in place of our own last layer.

    TFLite cannot run the transposition in ours, which has too many axes.
    """

    def plain(layer):
        if not isinstance(layer, UpsamplingToOneChannel):
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.Conv3DTranspose(
            1, layer.kernel_size, 2, "same", name=layer.name, dtype=layer.dtype_policy
        )

    clone = keras.models.clone_model(network, clone_function=plain)
    clone.set_weights(network.get_weights())
    return clone


def _write_saved_model(servable: Servable, path: pathlib.Path) -> None:
    tf.saved_model.save(servable, os.fspath(path), signatures=servable.functions)
    extra = path / EXTRA
    extra.mkdir()
    (extra / METADATA).write_text(servable.metadata + "\n")
    _write_warmup(servable, extra / "tf_serving_warmup_requests")


def _write_warmup(servable: Servable, path: pathlib.Path) -> None:
    """Write requests that TF Serving runs on start-up, so that the first real one is not slow."""
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise UserError(
            "the warm-up requests for TF Serving need the package tensorflow-serving-api: "
            "pip install 'ptn_semi[serving]'"
        ) from error
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for name, function in servable.functions.items():
            for batch in _WARMUP_BATCHES if function.input_signature else (1,):
                request = predict_pb2.PredictRequest()
                # The model spec needs no name: TF Serving fills in its own.
                request.model_spec.signature_name = name
                for spec in function.input_signature:
                    zeros = tf.zeros([batch, *spec.shape[1:]], spec.dtype)
                    request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(zeros))
                log = prediction_log_pb2.PredictLog(request=request)
                record = prediction_log_pb2.PredictionLog(predict_log=log)
                writer.write(record.SerializeToString())


def _write_tflite(servable: Servable, path: pathlib.Path) -> None:
    function = servable.functions["serving_default"]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], servable
    )
    path.write_bytes(converter.convert())


def _write_onnx(servable: Servable, path: pathlib.Path) -> None:
    try:
        import tf2onnx
    except ImportError as error:
        raise UserError("--format=onnx needs tf2onnx: pip install 'ptn_semi[onnx]'") from error
    function = servable.functions["serving_default"]
    model, _ = tf2onnx.convert.from_function(function, function.input_signature)
    path.write_bytes(model.SerializeToString())
