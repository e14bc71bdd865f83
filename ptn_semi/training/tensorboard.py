"""What the training loop shows in TensorBoard: scalars, pictures and voxel meshes."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.mesh import summary_v2 as mesh_summary

from ptn_semi.utils import files
from ptn_semi.visual import shading

# TensorBoard's mesh viewer keeps vertex numbers in 16 bits.
_MAX_VERTICES = 2**16
# Flat shading shows voxels as cubes although neighbours share their corners; the narrow field of
# view (degrees) moves the camera back, so that near parts do not loom.
_MESH_CONFIG = {
    "camera": {"cls": "PerspectiveCamera", "fov": 30},
    "material": {
        "cls": "MeshStandardMaterial",
        "flatShading": True,
        "roughness": 1,
        "metalness": 0,
    },
}
_EVENT_FILES = "events.out.tfevents.*.v2"  # then the second in which it was begun, and the machine
_HEIGHT_COLORS = np.array([[72, 62, 140], [38, 150, 148], [248, 214, 92]])  # bottom to top


class Summaries:
    """Writes events for TensorBoard; a resumed run supersedes what came after its checkpoint.

    A run that was killed has written events beyond its last checkpoint, which the resumed run
    writes again. They are taken out of the old event files, so whoever reads the folder finds each
    point once. A TensorBoard that has read them already is told by a session-start mark to drop
    what it holds from that step on. (Its default reader, the data server, does not look at the
    mark: there, a new value drops the later ones of its own tag.)

    Call `flush()` before a checkpoint is saved: then no event up to its step can be lost.

    Args:
      logdir: folder of the event files, of this run alone; made where missing.
      resumed_step: the step of the checkpoint that the run continues from: events up to and with
        this step stay. None for a run from the start: nothing that the folder holds stays.

    Raises:
      UserError: of this and of each method, the folder cannot be written.
    """

    def __init__(self, logdir: str | os.PathLike, resumed_step: int | None = None):
        self._logdir = logdir
        next_step = 0 if resumed_step is None else resumed_step + 1
        # The mark covers its own step too. TensorBoard takes the first mark that it meets for the
        # run's beginning and drops nothing, so a new run needs one as well.
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        mark = tf.compat.v1.Event(wall_time=time.time(), step=next_step, session_log=start)
        with self._writing():
            for path in Path(logdir).glob(_EVENT_FILES):
                _drop_events(path, next_step)
            _date_back(sorted(Path(logdir).glob(_EVENT_FILES)))
            self._writer = tf.summary.create_file_writer(str(logdir))
            # tf.summary has no public call for events other than summaries.
            tf.raw_ops.ImportEvent(writer=self._writer._resource, event=mark.SerializeToString())
            self._writer.flush()

    def _writing(self):
        return files.explaining(self._logdir, tf.errors.OpError)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers, by name."""
        with self._writing(), self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step)

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Writes a picture, uint8 [H, W, 3]."""
        with self._writing(), self._writer.as_default():
            tf.summary.image(name, np.asarray(image)[None], step)

    def mesh(self, step: int, name: str, occupied: Sequence[np.ndarray]) -> None:
        """Writes shapes, each [N, N, N] bool, for the mesh dashboard.

        A shape whose surface has more corners than the dashboard can number (only beyond 39³) is
        first reduced to half the grid by maximum, as often as it takes.
        """
        with self._writing(), self._writer.as_default():
            mesh_summary.mesh(
                name, **mesh_batch(occupied), config_dict=_MESH_CONFIG, step=int(step)
            )

    def flush(self) -> None:
        """Puts everything written so far into the file."""
        with self._writing():
            self._writer.flush()

    def close(self) -> None:
        """Flushes, and ends the file."""
        with self._writing():
            self._writer.close()


def surface_mesh(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surface of the occupied voxels, two triangles for each exposed voxel face.

    Args:
      occupied: [N, N, N] bool, axes x, y, z.

    Returns:
      Vertices [V, 3] float32 in object coordinates (the grid is a cube of side 1 about the
      origin), each used by all faces that meet there, and triangles [F, 3] int32,
      counter-clockwise seen from outside.
    """
    N = len(occupied)
    voxels, normals = shading.exposed_faces(occupied)
    axis = np.abs(normals).argmax(1)
    sign = normals[np.arange(len(axis)), axis]
    # A face's corners, from its voxel's lowest corner: along the axes that follow its own in
    # cyclic order, which is counter-clockwise seen from the positive side.
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    offsets = np.zeros([3, 2, 4, 3], int)  # axis, side, corner, coordinate
    for a in range(3):
        offsets[a][..., [(a + 1) % 3, (a + 2) % 3]] = square
        offsets[a, 1, :, a] = 1
        offsets[a, 0] = offsets[a, 0, ::-1]  # seen from the negative side
    corners = voxels[:, None] + offsets[axis, (sign > 0).astype(int)]  # [faces, 4, 3]
    numbers = np.ravel_multi_index(tuple(corners.reshape(-1, 3).T), [N + 1] * 3)
    used, quads = np.unique(numbers, return_inverse=True)
    vertices = np.stack(np.unravel_index(used, [N + 1] * 3), axis=-1) / N - 0.5
    triangles = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return vertices.astype(np.float32), triangles.astype(np.int32)


def mesh_batch(occupied: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The surfaces of several shapes, padded to one size, coloured by height.

    Args:
      occupied: B arrays [N, N, N] bool; an empty one gives a single point.

    Returns:
      `vertices` [B, V, 3] float32, `faces` [B, F, 3] int32 and `colors` [B, V, 3] uint8. Padding
      repeats the first vertex, and in faces is a triangle without area.
    """
    meshes = [_small_enough_mesh(np.asarray(shape, bool)) for shape in occupied]
    num_vertices = max([1, *(len(vertices) for vertices, _ in meshes)])
    num_faces = max([1, *(len(faces) for _, faces in meshes)])
    batch_vertices = np.zeros([len(meshes), num_vertices, 3], np.float32)
    batch_faces = np.zeros([len(meshes), num_faces, 3], np.int32)
    for number, (vertices, faces) in enumerate(meshes):
        if len(vertices):
            batch_vertices[number] = vertices[0]
            batch_vertices[number, : len(vertices)] = vertices
            batch_faces[number, : len(faces)] = faces
    height = batch_vertices[..., 1]
    colors = np.stack([np.interp(height, (-0.5, 0, 0.5), c) for c in _HEIGHT_COLORS.T], axis=-1)
    return {
        "vertices": batch_vertices,
        "faces": batch_faces,
        "colors": colors.round().astype(np.uint8),
    }


def _small_enough_mesh(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = surface_mesh(occupied)
    while len(vertices) > _MAX_VERTICES:
        occupied = np.pad(occupied, [(0, len(occupied) % 2)] * 3)
        half = len(occupied) // 2
        occupied = occupied.reshape(half, 2, half, 2, half, 2).any((1, 3, 5))
        vertices, faces = surface_mesh(occupied)
    return vertices, faces


def _drop_events(path: Path, next_step: int) -> None:
    """Takes the summaries from a step on, and start marks, out of an event file.

    A record that a kill cut short goes too. A file that would hold no summary is removed.
    """
    kept, num_summaries, dropped = [], 0, False
    try:
        for record in tf.data.TFRecordDataset(str(path), buffer_size=2**18).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            if event.HasField("session_log") or (
                event.HasField("summary") and event.step >= next_step
            ):
                dropped = True
            else:
                kept.append(record)
                num_summaries += event.HasField("summary")
    except tf.errors.DataLossError:
        dropped = True
    if not num_summaries:
        path.unlink()
    elif dropped:
        # TensorBoard reads whatever has "tfevents" in its name, so this has not.
        temporary = path.with_name("events.tmp")
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in kept:
                writer.write(record)
        os.replace(temporary, path)


def _date_back(paths: Sequence[Path]) -> None:
    """Gives files whose names are of the future, as the clock was put back, the last seconds.

    TensorBoard reads files in the order of their names: this run's are to come last.
    """
    now = int(time.time())
    future = [path for path in paths if int(path.name.split(".")[3]) > now]
    for place, path in enumerate(future, now - len(future)):
        parts = path.name.split(".")
        path.rename(path.with_name(".".join([*parts[:3], str(place), *parts[4:]])))
