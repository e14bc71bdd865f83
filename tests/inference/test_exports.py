"""Exported models: what they answer, without this package, and what is refused."""

import json
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.inference import exports, reconstruction
from ptn_semi.models import checkpoints
from ptn_semi.projection.camera import Camera
from ptn_semi.utils.errors import UserError
from support import processes
from support.small_models import REFINING, build, save

SERVING = pathlib.Path(__file__).parents[2] / "docs" / "serving.md"
MASKS = (np.random.default_rng(0).random([5, 32, 32, 1]) > 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of a model with R whose batch norm is not that of a fresh one, trained in half precision."""
    settings = {
        "camera": Camera(distance=3),
        "flip_augmentation": True,
        "mirror_symmetric": True,
    }
    model = build(**REFINING, precision="mixed_bfloat16", settings=settings)
    generator = np.random.default_rng(0)
    for weight in model.ema.weights:
        weight.assign(weight + 0.1 * generator.random(weight.shape))
    return save(tmp_path_factory.mktemp("run"), model)


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    return exports.export(checkpoint.path, tmp_path_factory.mktemp("models") / "1", "saved_model")


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported)).signatures


@pytest.fixture(scope="module")
def model(checkpoint):
    return checkpoints.load_networks(checkpoint)


@pytest.fixture(scope="module")
def voxels(model):
    return model(MASKS).numpy()


def test_signatures_give_the_models_voxels(signatures, model, voxels):
    for count in (1, 5):
        answer = signatures["serving_default"](mask=tf.constant(MASKS[:count]))
        np.testing.assert_allclose(answer["voxels"], voxels[:count], atol=1e-6)
        viewpoints = model.reconstruct(MASKS[:count, None]).viewpoints[:, 0]
        np.testing.assert_allclose(answer["viewpoint"], viewpoints, atol=1e-2)
    from_bytes = signatures["serving_uint8"](mask=tf.constant((MASKS * 255).astype(np.uint8)))
    np.testing.assert_allclose(from_bytes["voxels"], voxels, atol=1e-6)
    decoded = signatures["decode"](latent=answer["latent"])["voxels"]
    np.testing.assert_allclose(decoded, model.generator(answer["latent"]), atol=1e-6)
    viewpoints = np.float32([[10, 40]] * 5)
    mask = signatures["project"](voxels=tf.constant(voxels), viewpoint=tf.constant(viewpoints))
    np.testing.assert_allclose(mask["mask"], model.projector([voxels, viewpoints]), atol=1e-5)


def test_metadata_is_in_the_model_and_beside_it(exported, signatures):
    known = json.loads(signatures["metadata"]()["json"].numpy())
    assert known == json.loads((exported / "assets.extra" / exports.METADATA).read_text())
    assert known["threshold"] == 0.35 and known["extent"] == 0.7
    assert known["categories"] == ["chair"] and known["camera"]["distance"] == 3


def test_variables_are_stored_once(exported, model):
    kept = tf.train.list_variables(str(exported / "variables" / "variables"))
    sizes = [np.prod(shape) for name, shape in kept if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    assert sum(sizes) == sum(np.prod(weight.shape) for weight in model.weights)


def answer_to(request, signatures):
    """What a server answers to a request: the outputs by name."""
    inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
    return signatures[request.model_spec.signature_name](**inputs)


def test_warm_up_requests_run(exported, signatures):
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    path = exported / "assets.extra" / "tf_serving_warmup_requests"
    seen = set()
    for record in tf.data.TFRecordDataset(str(path)):
        request = apis.PredictionLog.FromString(record.numpy()).predict_log.request
        assert answer_to(request, signatures)
        seen.add(request.model_spec.signature_name)
    assert seen == set(signatures)


@pytest.mark.slow
def test_a_program_without_this_package_gets_the_same_voxels(exported, voxels, tmp_path):
    np.save(tmp_path / "masks.npy", MASKS)
    command = f"run --dir={exported} --tag_set=serve --signature_def=serving_default"
    places = f"--inputs=mask={tmp_path / 'masks.npy'}", f"--outdir={tmp_path}"
    program = "tensorflow.python.tools.saved_model_cli"
    ended = processes.main(program, *command.split(), *places, without="ptn_semi")
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_allclose(np.load(tmp_path / "voxels.npy"), voxels, atol=1e-6)


def run_tflite(path):
    return tf.lite.Interpreter(path).get_signature_runner()(mask=MASKS)["voxels"]


def run_onnx(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(path).run(["voxels"], {"mask": MASKS})[0]


@pytest.mark.parametrize(("kind", "run"), [("tflite", run_tflite), ("onnx", run_onnx)])
def test_other_formats_give_the_models_voxels(checkpoint, voxels, tmp_path, kind, run):
    found = run(str(exports.export(checkpoint.path, tmp_path / "model", kind)))
    # Sines that differ in their last bit put a few voxels into the pixel beside theirs.
    np.testing.assert_allclose(found, voxels, atol=0.01)
    assert np.isclose(found, voxels, atol=1e-5).mean() > 0.99


def test_saved_models_reconstruct_images(exported, checkpoint, voxels):
    for path in (exported, checkpoint.path):
        loaded = reconstruction.load_model(path)
        assert (loaded.threshold, loaded.extent, loaded.image_size) == (0.35, 0.7, 32)
        # In float32, though it was trained in half precision.
        np.testing.assert_array_equal(loaded.networks(MASKS), voxels)


def test_a_folder_to_publish_holds_the_model_and_its_card(checkpoint, voxels, tmp_path):
    folder = exports.export(checkpoint.path, tmp_path / "model", "pretrained")
    assert {path.name for path in folder.iterdir()} == {"README.md", "model.json", "model.npz"}
    card = (folder / "README.md").read_text()
    assert "library_name: ptn_semi" in card and "It knows chair, " in card
    loaded = reconstruction.load_model(folder)
    assert (loaded.threshold, loaded.extent, loaded.image_size) == (0.35, 0.7, 32)
    found = loaded.networks(MASKS).numpy()  # of weights in half precision
    assert np.isclose(found, voxels, atol=0.01).mean() > 0.99


def test_other_saved_models_are_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    with pytest.raises(UserError, match=r"give a folder that ptn_semi.export wrote"):
        reconstruction.load_model(tmp_path / "1")


def test_the_documents_clients_send_what_the_model_takes(
    exported, signatures, model, tmp_path, monkeypatch
):
    grpc = pytest.importorskip("grpc")
    predict_pb2 = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    service = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")
    answered = []

    class Stub:
        """Answers as a server would, from the SavedModel."""

        def __init__(self, channel):
            pass

        def Predict(self, request, timeout):  # noqa: N802
            assert request.model_spec.name == "ptn_semi"
            outputs = answer_to(request, signatures)
            response = predict_pb2.PredictResponse()
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            answered.append(outputs["voxels"].numpy())
            return response

    monkeypatch.setattr(grpc, "insecure_channel", lambda address: None)
    monkeypatch.setattr(service, "PredictionServiceStub", Stub)
    section = SERVING.read_text().split("## Serve it")[1].split("\n## ")[0]
    rest, remote, whole = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "ptn_semi").symlink_to(SERVING.parents[1] / "ptn_semi")
    (tmp_path / "models" / "ptn_semi").mkdir(parents=True)
    (tmp_path / "models" / "ptn_semi" / "1").symlink_to(exported)
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in (rest, remote, whole):
        exec(code, names)
    body = json.loads((tmp_path / "request.json").read_text())
    spec = signatures["serving_default"].structured_input_signature[1]
    inputs = {name: tf.constant(value, spec[name].dtype) for name, value in body["inputs"].items()}
    voxels = signatures["serving_default"](**inputs)["voxels"]
    # In a graph of its own oneDNN may add up in another order.
    np.testing.assert_allclose(voxels, model(names["mask"][None]), atol=1e-5)
    np.testing.assert_array_equal(names["voxels"], answered[0])
    np.testing.assert_array_equal(names["voxels"], voxels)
    assert names["occupied"].shape == (32, 32, 32)
