import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import (
    event_accumulator,
    plugin_event_accumulator,
)
from tensorboard.plugins.mesh import metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.util import tensor_util

from ptn_semi.training.tensorboard import Summaries, mesh_batch, surface_mesh


def read(logdir):
    # Keep every event, where TensorBoard would sample.
    reader = event_accumulator.EventAccumulator(str(logdir), size_guidance={"tensors": 0})
    return reader.Reload()


def read_as_tensorboard(logdir):
    # What `tensorboard --load_fast=false` ingests with; it differs in the first start mark.
    reader = plugin_event_accumulator.EventAccumulator(
        str(logdir), size_guidance={"tensors": 0}, tensor_size_guidance={}
    )
    reader.Reload()
    return reader


def curve(reader, name):
    """[(step, value)] of a scalar.

    Sorted, because files of one second and one process, as here, are not read in order.
    """
    events = reader.Tensors(name)
    return sorted((e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events)


@pytest.mark.parametrize("reader", [read, read_as_tensorboard])
def test_a_resumed_run_supersedes_what_came_after_its_checkpoint(tmp_path, reader):
    first = Summaries(tmp_path)
    for step in range(0, 10):
        first.scalars(step, {"loss": 1.0, "ap": 0.1})
    first.scalars(8, {"rare": 5.0})
    first.flush()  # killed: never closed. The checkpoint was of step 4.
    second = Summaries(tmp_path, resumed_step=4)
    assert [step for step, _ in curve(reader(tmp_path), "loss")] == [0, 1, 2, 3, 4]
    for step in range(5, 8):
        second.scalars(step, {"loss": 2.0})
    second.flush()
    third = Summaries(tmp_path, resumed_step=6)
    for step in range(7, 12):
        third.scalars(step, {"loss": 3.0, "ap": 0.3})
    third.close()

    events = reader(tmp_path)
    expected = [1.0] * 5 + [2.0] * 2 + [3.0] * 5
    assert curve(events, "loss") == list(enumerate(expected))
    assert [step for step, _ in curve(events, "ap")] == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    # Though nothing of this name was written again.
    assert "rare" not in events.Tags()["tensors"]


@pytest.mark.parametrize("reader", [read, read_as_tensorboard])
def test_a_run_started_again_from_nothing_supersedes_everything(tmp_path, reader):
    for value in (1.0, 2.0):
        summaries = Summaries(tmp_path)
        summaries.scalars(0, {"loss": value})
        summaries.scalars(3, {"loss": value})
        summaries.close()
    assert curve(reader(tmp_path), "loss") == [(0, 2.0), (3, 2.0)]


@pytest.mark.parametrize("reader", [read, read_as_tensorboard])
def test_a_record_cut_short_by_the_kill_does_no_harm(tmp_path, reader):
    first = Summaries(tmp_path)
    first.scalars(1, {"loss": 1.0})
    first.scalars(2, {"loss": 1.0})
    first.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    second = Summaries(tmp_path, resumed_step=1)
    second.scalars(2, {"loss": 2.0})
    second.close()
    assert curve(reader(tmp_path), "loss") == [(1, 1.0), (2, 2.0)]


def test_an_open_tensorboard_drops_what_it_has_read(tmp_path):
    first = Summaries(tmp_path)
    for step in range(10):
        first.scalars(step, {"loss": 1.0})
    first.flush()
    reader = read_as_tensorboard(tmp_path)
    assert len(curve(reader, "loss")) == 10
    # The name's second is what TensorBoard goes by to find newer files.
    time.sleep(1.1)
    second = Summaries(tmp_path, resumed_step=4)
    second.scalars(5, {"loss": 2.0})
    second.close()
    reader.Reload()
    assert curve(reader, "loss") == [(step, 1.0) for step in range(5)] + [(5, 2.0)]


def test_a_clock_that_was_put_back_puts_no_file_before_older_ones(tmp_path):
    for resumed_step in (None, 2, 4):  # the first two runs' clock was an hour ahead
        summaries = Summaries(tmp_path, resumed_step)
        summaries.scalars((resumed_step or 0) + 1, {"loss": 1.0})
        summaries.scalars((resumed_step or 0) + 2, {"loss": 1.0})
        summaries.close()
        if resumed_step != 4:
            newest = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
            parts = newest.name.split(".")
            parts[3] = str(int(time.time()) + 3600 + (resumed_step or 0))
            newest.rename(tmp_path / ".".join(parts))
    steps = []
    for path in sorted(tmp_path.iterdir()):
        events = map(
            tf.compat.v1.Event.FromString, tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        )
        steps += [event.step for event in events if event.HasField("summary")]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in curve(read_as_tensorboard(tmp_path), "loss")] == steps


def test_files_of_others_and_finished_parts_stay_as_they_are(tmp_path):
    first = Summaries(tmp_path)
    first.scalars(1, {"loss": 1.0})
    first.close()
    other = tmp_path / "events.out.tfevents.1.profile-empty"
    other.write_bytes(b"")
    Summaries(tmp_path, resumed_step=1).close()
    old = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert other in old
    Summaries(tmp_path, resumed_step=1).close()
    assert len([path for path in old if path.exists() and path.read_bytes() == old[path]]) == 2
    assert not list(tmp_path.glob("*.tmp"))


def test_image(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)
    summaries = Summaries(tmp_path)
    summaries.image(7, "validation/samples", image)
    summaries.close()
    (event,) = read(tmp_path).Tensors("validation/samples")
    width, height, encoded = tensor_util.make_ndarray(event.tensor_proto)
    assert (event.step, width, height) == (7, b"9", b"6")
    np.testing.assert_array_equal(tf.io.decode_png(encoded), image)


def test_mesh(tmp_path):
    shapes = [np.zeros([4, 4, 4], bool) for _ in range(3)]
    shapes[0][1, 2, 3] = True
    shapes[1][:2] = True
    summaries = Summaries(tmp_path)
    summaries.mesh(5, "validation/shapes", shapes)
    summaries.close()
    events = read(tmp_path)
    parts = [
        (MeshPluginData.VERTEX, "vertices"),
        (MeshPluginData.FACE, "faces"),
        (MeshPluginData.COLOR, "colors"),
    ]
    for content, key in parts:
        tag = metadata.get_instance_name("validation/shapes", content)
        (event,) = events.Tensors(tag)
        assert event.step == 5
        expected = mesh_batch(shapes)[key]
        np.testing.assert_array_equal(tensor_util.make_ndarray(event.tensor_proto), expected)


def signed_volume(vertices, triangles):
    a, b, c = vertices[triangles.T].astype(float)
    return (np.cross(a, b) * c).sum() / 6


def test_surface_of_one_voxel():
    occupied = np.zeros([2, 2, 2], bool)
    occupied[1, 0, 1] = True
    vertices, triangles = surface_mesh(occupied)
    assert len(vertices) == 8
    assert len(triangles) == 12
    np.testing.assert_array_equal(vertices.min(0), [0, -0.5, 0])
    np.testing.assert_array_equal(vertices.max(0), [0.5, 0, 0.5])
    assert signed_volume(vertices, triangles) == pytest.approx(1 / 8)  # not inside out


def test_surface_is_closed_and_encloses_the_occupied_voxels():
    occupied = np.random.default_rng(0).random([7, 7, 7]) < 0.4
    vertices, triangles = surface_mesh(occupied)
    assert signed_volume(vertices, triangles) == pytest.approx(occupied.mean(), abs=1e-6)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    # Every edge is walked as often one way as the other.
    there, there_count = np.unique(edges, axis=0, return_counts=True)
    back, back_count = np.unique(edges[:, ::-1], axis=0, return_counts=True)
    np.testing.assert_array_equal(there, back)
    np.testing.assert_array_equal(there_count, back_count)


def test_mesh_batch_pads_and_fits_the_viewer():
    noise = np.random.default_rng(0).random([64, 64, 64]) < 0.5
    small = np.zeros([64, 64, 64], bool)
    small[0, 0, 0] = True
    batch = mesh_batch([noise, small, np.zeros_like(small)])
    assert batch["vertices"].shape == batch["colors"].shape
    assert len(batch["faces"]) == 3
    assert batch["vertices"].shape[1] <= 2**16
    assert batch["faces"].max() < batch["vertices"].shape[1]
    assert batch["vertices"][1].max() == pytest.approx(-0.5 + 1 / 64)  # padding stays inside
    assert (batch["faces"][1, 12:] == 0).all()
