"""TensorBoard's events: what is written, and that a resumed run leaves no event twice."""

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.mesh import metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.util import tensor_util

from ptn_semi.training.tensorboard import Summaries
from ptn_semi.visual import mesh_batches


def read(logdir):
    # TensorBoard keeps a sample of the events unless told otherwise.
    return EventAccumulator(str(logdir), size_guidance={"tensors": 0}).Reload()


def read_curve(logdir, name):
    """Read (step, value) of a scalar. Files of one second, as here, are not read in order."""
    events = read(logdir).Tensors(name)
    return sorted((e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events)


def write(logdir, steps, value, resumed_step=None, **others):
    summaries = Summaries(logdir, resumed_step)
    for step in steps:
        summaries.scalars(step, {"loss": value, **others})
    summaries.flush()
    return summaries


def test_a_resumed_run_replaces_the_events_after_its_checkpoint(tmp_path):
    killed = write(tmp_path, range(10), 1.0, rare=5.0)
    killed.scalars(8, {"late": 5.0})
    killed.flush()  # and never closed
    write(tmp_path, range(5, 8), 2.0, resumed_step=4)
    write(tmp_path, range(7, 12), 3.0, resumed_step=6).close()
    assert read_curve(tmp_path, "loss") == list(enumerate([1.0] * 5 + [2.0] * 2 + [3.0] * 5))
    assert [step for step, _ in read_curve(tmp_path, "rare")] == [0, 1, 2, 3, 4]
    assert "late" not in read(tmp_path).Tags()["tensors"]
    write(tmp_path, (0, 3), 4.0).close()  # a new run keeps no events
    assert read_curve(tmp_path, "loss") == [(0, 4.0), (3, 4.0)]


def test_an_event_that_was_cut_short_does_no_harm(tmp_path):
    write(tmp_path, (1, 2), 1.0).close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    write(tmp_path, [2], 2.0, resumed_step=1).close()
    assert read_curve(tmp_path, "loss") == [(1, 1.0), (2, 2.0)]


def test_pictures_and_meshes_are_written(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)
    shapes = np.random.default_rng(0).random([3, 4, 4, 4]) < 0.3
    summaries = Summaries(tmp_path)
    summaries.image(7, "samples", picture)
    summaries.mesh(5, "shapes", list(shapes))
    summaries.close()

    events = read(tmp_path)
    (event,) = events.Tensors("samples")
    width, height, encoded = tensor_util.make_ndarray(event.tensor_proto)
    assert (event.step, width, height) == (7, b"9", b"6")
    np.testing.assert_array_equal(tf.io.decode_png(encoded), picture)
    expected = mesh_batches.batch_meshes(shapes)
    contents = MeshPluginData.VERTEX, MeshPluginData.FACE, MeshPluginData.COLOR
    for content, key in zip(contents, ("vertices", "faces", "colors"), strict=True):
        (event,) = events.Tensors(metadata.get_instance_name("shapes", content))
        assert event.step == 5
        np.testing.assert_array_equal(tensor_util.make_ndarray(event.tensor_proto), expected[key])


def test_a_clock_that_was_set_back_does_no_harm(tmp_path):
    write(tmp_path, range(4), 1.0).close()
    (path,) = tmp_path.iterdir()
    parts = path.name.split(".")
    parts[3] = str(int(parts[3]) + 3600)  # when it was begun
    path.rename(tmp_path / ".".join(parts))
    write(tmp_path, range(3, 6), 2.0, resumed_step=2).close()
    assert read_curve(tmp_path, "loss") == list(enumerate([1.0] * 3 + [2.0] * 3))
