"""Exports of a trained model: SavedModel, TFLite and ONNX for other programs, or to publish."""

import json
import os
import pathlib
from collections.abc import Callable

import keras
import tensorflow as tf

from ptn_semi.inference.paths import check_export
from ptn_semi.models import checkpoints, networks, pretrained
from ptn_semi.models.keras_defaults import keras_defaults
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.networks import Networks
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection.projector import Projector
from ptn_semi.utils import files

EXTRA, METADATA = "assets.extra", "metadata.json"  # a folder of the SavedModel and its file
_WARMUP_BATCHES = (1, 8)  # batch sizes


class Servable(tf.Module):
    """The module that is exported: functions of the networks, with each variable once.

    These signatures take any batch size B:

      serving_default: mask float32 [B, S, S, 1] in [0, 1] → voxels [B, N, N, N] in [0, 1], latent
        [B, latent_dim] and, in models with R, viewpoint [B, 2 or 7], as estimated.
      serving_uint8: the same for a mask uint8 [B, S, S, 1], of an object where it is ≥ 128.
      decode: latent → voxels of G, which R has not seen.
      project: voxels, viewpoint [B, 2 or 7], see `geometry` → mask.
      metadata: nothing → json, a string that holds the `ModelInfo`.

    The projector of the networks must not use XLA. `functions` holds the signatures by name.
    """

    def __init__(self, networks: Networks, info: ModelInfo):
        super().__init__()
        settings, generator = info.settings, networks.generator
        # The networks are not kept: Keras would track their layers too, and write everything twice.
        self.kept: list[tf.Variable] = [weight.value for weight in networks.weights]
        projector = Projector(
            settings.image_size, settings.camera, pooling=settings.pooling, jit_compile=False
        )
        grid, image = (settings.voxel_size,) * 3, (settings.image_size,) * 2
        self.metadata = text = json.dumps(info.to_dict(), indent=1)

        def reconstruct(mask: tf.Tensor) -> dict[str, tf.Tensor]:
            voxels, latents, viewpoints = networks.reconstruct(mask[:, None])
            outputs = {"voxels": voxels, "latent": latents[:, 0]}
            return outputs if viewpoints is None else outputs | {"viewpoint": viewpoints[:, 0]}

        self.functions: dict[str, tf.types.experimental.PolymorphicFunction] = {
            "serving_default": _function(reconstruct, mask=(tf.float32, (*image, 1))),
            "serving_uint8": _function(
                lambda mask: reconstruct(tf.cast(mask >= 128, tf.float32)),
                mask=(tf.uint8, (*image, 1)),
            ),
            "decode": _function(
                lambda latent: {"voxels": generator(latent, training=False)},
                latent=(tf.float32, (settings.architecture.latent_dim,)),
            ),
            "project": _function(
                lambda voxels, viewpoint: {"mask": projector([voxels, viewpoint])},
                voxels=(tf.float32, grid),
                viewpoint=(tf.float32, (settings.views.num_values,)),
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


def export(workdir: str | os.PathLike, output: str | os.PathLike, kind: str) -> pathlib.Path:
    """Export the best checkpoint of a workdir, or the one of a checkpoint's folder.

    Args:
      workdir: either folder.
      output: the path to write and return, which must not exist yet: a folder named by a version
        number for saved_model, a folder for pretrained, a file for the other formats.
      kind: one of `settings.EXPORT_FORMATS`.

    Raises:
      UserError: if there is no checkpoint, the output cannot be used, or a package is missing.
    """
    output = pathlib.Path(output)
    check_export(output, kind)
    checkpoint = checkpoints.find(workdir)
    # Some programs that run a SavedModel have no XLA.
    loaded = checkpoints.load_networks(checkpoint, jit_compile=False)
    if kind == "pretrained":
        with files.replacing(output) as partial:
            pretrained.write(loaded, checkpoint.info, partial)
            (partial / "README.md").write_text(pretrained.card(checkpoint.info), encoding="utf-8")
        return output
    write = {"saved_model": _write_saved_model, "tflite": _write_tflite, "onnx": _write_onnx}[kind]
    if kind == "tflite":
        loaded.generator = _with_plain_layers(loaded.generator)
        if loaded.refiner is not None:
            loaded.refiner = _with_plain_layers(loaded.refiner)
    servable = Servable(loaded, checkpoint.info)
    with files.replacing(output, tf.errors.OpError) as partial:
        write(servable, partial)
    return output


def read(path: str | os.PathLike) -> tuple[Networks, ModelInfo]:
    """Read the folder of a SavedModel that `export` wrote.

    The networks are built from the metadata and then filled with the stored variables. The
    SavedModel's graph is never run, since a graph may write files.

    Raises:
      UserError: if it is damaged, or was written by another program.
    """
    path = pathlib.Path(path)
    fix = "give a folder that ptn_semi.export wrote, with all its files, or export it again"
    metadata = files.read_json(path / EXTRA / METADATA, fix)
    with checkpoints.refusing_others(path, fix):
        info = ModelInfo.from_dict(metadata)
        loaded, _ = networks.build_networks(info.settings)
        with files.without_patterns(path) as folder:
            variables = tf.train.load_checkpoint(f"{folder}/variables/variables")
            for i, weight in enumerate(loaded.weights):
                weight.assign(variables.get_tensor(f"kept/{i}/.ATTRIBUTES/VARIABLE_VALUE"))
    return loaded, info


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

    with keras_defaults():
        clone = keras.models.clone_model(network, clone_function=plain)
    clone.set_weights(network.get_weights())
    return clone


def _write_saved_model(servable: Servable, path: pathlib.Path) -> None:
    tf.saved_model.save(servable, os.fspath(path), signatures=servable.functions)
    extra = path / EXTRA
    extra.mkdir()
    (extra / METADATA).write_text(servable.metadata + "\n", encoding="utf-8")
    # TF Serving runs these requests on start-up, so that the first real one is not slow.
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(os.fspath(extra / "tf_serving_warmup_requests")) as writer:
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
    functions = [servable.functions["serving_default"].get_concrete_function()]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(functions, servable)
    path.write_bytes(converter.convert())


def _write_onnx(servable: Servable, path: pathlib.Path) -> None:
    import tf2onnx

    function = servable.functions["serving_default"]
    model, _ = tf2onnx.convert.from_function(function, function.input_signature)
    path.write_bytes(model.SerializeToString())
