"""A trained model as files that other programs run: SavedModel, TFLite, ONNX."""

import json
import os
import pathlib

import keras
import tensorflow as tf

import ptn_semi
from ptn_semi.inference.preflight import check_export
from ptn_semi.models import checkpoints
from ptn_semi.models.upsampling import UpsamplingToOneChannel
from ptn_semi.projection.projector import Projector
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

EXTRA, METADATA = "assets.extra", "metadata.json"  # the folder of a SavedModel, and the file in it
_WARMUP_BATCHES = (1, 8)


class Servable(tf.Module):
    """What is exported: functions of the average networks, each variable held once.

    Its signatures, with any batch size B:

      serving_default: mask float32 [B, S, S, 1] in [0, 1] → voxels [B, N, N, N] in [0, 1], and
        latent [B, latent_dim],
      serving_uint8: the same of mask uint8 [B, S, S, 1], occupied from 128,
      decode: latent → voxels,
      project: voxels, viewpoint [B, 2] in degrees → mask,
      metadata: → json, a string with `metadata`.

    Args:
      model: a `SemiSupervisedReconstructor`.
      metadata: JSON-able dict.
    """

    def __init__(self, model, metadata):
        super().__init__()
        encoder, generator = model.average_encoder, model.average_generator
        # Keras would track its layers beside these, and so write everything twice.
        self.kept = [variable.value for variable in _kept(model)]
        # XLA is not in every program that runs a SavedModel.
        projector = Projector(model.image_size, model.camera, jit_compile=False)
        grid, image = (model.voxel_size,) * 3, (model.image_size,) * 2
        self.metadata = text = json.dumps(metadata, indent=1)

        def reconstruct(mask):
            latent = encoder(mask, training=False)
            return {"voxels": generator(latent, training=False), "latent": latent}

        self.functions = {
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


def _function(function, **inputs):
    """A `tf.function` of named inputs (dtype, shape but for the batch)."""
    return tf.function(
        function,
        input_signature=[
            tf.TensorSpec((None, *shape), dtype, name) for name, (dtype, shape) in inputs.items()
        ],
        jit_compile=False,
    )


def metadata(checkpoint, model):
    """What users of an exported model need to know beside its tensors' shapes.

    Args:
      checkpoint: the `checkpoints.Checkpoint`.
      model: loaded from it.
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


def export(workdir, output, kind):
    """Exports the best checkpoint of a run.

    Args:
      workdir: of the run, or a checkpoint's folder.
      output: a folder named by a version number for saved_model, else a file; not there yet.
      kind: one of `settings.EXPORT_FORMATS`.

    Returns:
      The path.

    Raises:
      UserError: no checkpoint, a wrong or taken output, a missing package.
    """
    output = pathlib.Path(output)
    check_export(output, kind)
    write = {"saved_model": _write_saved_model, "tflite": _write_tflite, "onnx": _write_onnx}[kind]
    checkpoint = checkpoints.find(workdir)
    model = checkpoints.load_model(checkpoint)
    if kind == "tflite":
        model.average_generator = _with_plain_layers(model.average_generator)
    servable = Servable(model, metadata(checkpoint, model))
    with files.replacing(output, tf.errors.OpError) as partial:
        write(servable, partial)
    return output


def read(path):
    """(model, metadata) of a SavedModel that `export` wrote.

    The networks are made anew from the metadata and take the stored variables; nothing in the
    SavedModel's graph, which may write files, is ever run.

    Raises:
      UserError: it is damaged, or another program's.
    """
    path = pathlib.Path(path)
    mend = "give a folder that ptn_semi.export wrote, whole, or export the model again"
    known = files.read_json(path / EXTRA / METADATA, mend)
    with checkpoints.refusing_others(path, mend):
        if not (0 < known["threshold"] < 1 and 0 < (known["extent"] or 1) <= 1):
            raise ValueError(f"threshold {known['threshold']}, extent {known['extent']}")
        model = checkpoints.model_of(known["model"])
        with files.without_patterns(path) as folder:
            variables = tf.train.load_checkpoint(f"{folder}/variables/variables")
            for i, variable in enumerate(_kept(model)):
                variable.assign(variables.get_tensor(f"kept/{i}/.ATTRIBUTES/VARIABLE_VALUE"))
    return model, known


def _kept(model):
    """The variables that an export holds, in their order."""
    return model.average_encoder.variables + model.average_generator.variables


def _with_plain_layers(generator):
    """The same G without our own last layer, whose transposition has too many axes for TFLite."""

    def plain(layer):
        if not isinstance(layer, UpsamplingToOneChannel):
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.Conv3DTranspose(
            1, layer.kernel_size, 2, "same", name=layer.name, dtype=layer.dtype_policy
        )

    clone = keras.models.clone_model(generator, clone_function=plain)
    clone.set_weights(generator.get_weights())
    return clone


def _write_saved_model(servable, path):
    tf.saved_model.save(servable, os.fspath(path), signatures=servable.functions)
    extra = path / EXTRA
    extra.mkdir()
    (extra / METADATA).write_text(servable.metadata + "\n")
    _write_warmup(servable, extra / "tf_serving_warmup_requests")


def _write_warmup(servable, path):
    """Requests that TF Serving runs before it answers others, so that the first is not slow."""
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise UserError(
            "requests for TF Serving to warm up with need the package tensorflow-serving-api: "
            "pip install 'ptn_semi[serving]'"
        ) from error
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for name, function in servable.functions.items():
            for batch in _WARMUP_BATCHES if function.input_signature else (1,):
                request = predict_pb2.PredictRequest()
                # TF Serving fills in the name that it serves the model under.
                request.model_spec.signature_name = name
                for spec in function.input_signature:
                    zeros = tf.zeros([batch, *spec.shape[1:]], spec.dtype)
                    request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(zeros))
                log = prediction_log_pb2.PredictLog(request=request)
                record = prediction_log_pb2.PredictionLog(predict_log=log)
                writer.write(record.SerializeToString())


def _write_tflite(servable, path):
    function = servable.functions["serving_default"]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], servable
    )
    path.write_bytes(converter.convert())


def _write_onnx(servable, path):
    try:
        import tf2onnx
    except ImportError as error:
        raise UserError("--format=onnx needs tf2onnx: pip install 'ptn_semi[onnx]'") from error
    function = servable.functions["serving_default"]
    model, _ = tf2onnx.convert.from_function(function, function.input_signature)
    path.write_bytes(model.SerializeToString())
