"""TensorBoard logging of a training run: scalars, pictures and voxel meshes."""

import contextlib
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
# Flat shading shows voxels as cubes although neighbours share their corners. The narrow field of
# view (in degrees) moves the camera back, so that near parts do not look too large.
_MESH_CONFIG = {
    "camera": {"cls": "PerspectiveCamera", "fov": 30},
    "material": {
        "cls": "MeshStandardMaterial",
        "flatShading": True,
        "roughness": 1,
        "metalness": 0,
    },
}
_EVENT_FILES = "events.out.tfevents.*.v2"  # The * is the start time in seconds, then the machine.
_HEIGHT_COLORS = np.array([[72, 62, 140], [38, 150, 148], [248, 214, 92]])  # bottom to top


class Summaries:
    """Writes events for TensorBoard; a resumed run replaces the events after its checkpoint.

    A run that was killed has written events beyond its last checkpoint, and the resumed run writes
    them again. The old ones are removed from the event files, so that every point is in the folder
    once. A session-start mark tells a TensorBoard that has already read them to drop what it holds
    from that step on. (TensorBoard's default reader, the data server, ignores the mark. There, a
    new value drops the later ones of its own tag.)

    Call `flush()` before saving a checkpoint, so that no event up to its step can be lost.

    Args:
      logdir: folder of the event files of this run alone; created if it is missing.
      resumed_step: step of the checkpoint that the run resumes from. Events up to and including
        this step are kept. None for a new run, which keeps no events.

    Raises:
      UserError: the folder cannot be written. Every method raises it too.
    """

    def __init__(self, logdir: str | os.PathLike, resumed_step: int | None = None):
        self._logdir = logdir
        next_step = 0 if resumed_step is None else resumed_step + 1
        # The mark covers its own step too. TensorBoard takes the first mark that it reads as the
        # run's beginning and drops nothing, so a new run needs a mark as well.
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

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return files.explaining(self._logdir, tf.errors.OpError)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers, given by name."""
        with self._writing(), self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step)

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Write a picture, uint8 [H, W, 3]."""
        with self._writing(), self._writer.as_default():
            tf.summary.image(name, np.asarray(image)[None], step)

    def mesh(self, step: int, name: str, occupied: Sequence[np.ndarray]) -> None:
        """Write shapes, each bool [N, N, N], for the mesh dashboard.

        A surface can have more corners than the dashboard can number, but only if N > 39. The grid
        is then halved by maximum pooling until the corners are few enough.
        """
        with self._writing(), self._writer.as_default():
            mesh_summary.mesh(
                name, **mesh_batch(occupied), config_dict=_MESH_CONFIG, step=int(step)
            )

    def flush(self) -> None:
        """Write all events so far to the file."""
        with self._writing():
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        with self._writing():
            self._writer.close()


def surface_mesh(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the surface of the occupied voxels, two triangles for each exposed voxel face.

    Args:
      occupied: bool [N, N, N], axes x, y, z.

    Returns:
      Vertices, float32 [V, 3], and triangles, int32 [F, 3]. Vertices are in object coordinates, in
      which the grid is a cube of side 1 around the origin; all faces that meet at a corner share
      its vertex. Triangles are counter-clockwise as seen from outside.
    """
    N = len(occupied)
    voxels, normals = shading.exposed_faces(occupied)
    axis = np.abs(normals).argmax(1)
    sign = normals[np.arange(len(axis)), axis]
    # Corners of a face, relative to its voxel's lowest corner, along the two axes that follow the
    # face's own in cyclic order. This is counter-clockwise as seen from the positive side.
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    offsets = np.zeros([3, 2, 4, 3], int)  # axis, side, corner, coordinate
    for a in range(3):
        offsets[a][..., [(a + 1) % 3, (a + 2) % 3]] = square
        offsets[a, 1, :, a] = 1
        offsets[a, 0] = offsets[a, 0, ::-1]  # As seen from the negative side.
    corners = voxels[:, None] + offsets[axis, (sign > 0).astype(int)]  # [faces, 4, 3]
    numbers = np.ravel_multi_index(tuple(corners.reshape(-1, 3).T), [N + 1] * 3)
    used, quads = np.unique(numbers, return_inverse=True)
    vertices = np.stack(np.unravel_index(used, [N + 1] * 3), axis=-1) / N - 0.5
    triangles = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return vertices.astype(np.float32), triangles.astype(np.int32)


def mesh_batch(occupied: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Compute the surfaces of several shapes, padded to one size and coloured by height.

    Args:
      occupied: B arrays, bool [N, N, N]; an empty one gives a single point.

    Returns:
      `vertices`, float32 [B, V, 3], `faces`, int32 [B, F, 3], and `colors`, uint8 [B, V, 3].
      Vertices are padded with the first vertex, and faces with triangles without area.
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
    """Compute a surface; halve the grid as often as needed to keep within `_MAX_VERTICES`."""
    vertices, faces = surface_mesh(occupied)
    while len(vertices) > _MAX_VERTICES:
        occupied = np.pad(occupied, [(0, len(occupied) % 2)] * 3)
        half = len(occupied) // 2
        occupied = np.asarray(occupied.reshape(half, 2, half, 2, half, 2).any((1, 3, 5)))
        vertices, faces = surface_mesh(occupied)
    return vertices, faces


def _drop_events(path: Path, next_step: int) -> None:
    """Remove the summaries from a step on, and all start marks, from an event file.

    A record that is truncated because its run was killed is removed too. A file that would hold no
    summary is deleted.
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
        # TensorBoard reads every file with "tfevents" in its name, so this name does not have it.
        temporary = path.with_name("events.tmp")
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in kept:
                writer.write(record)
        os.replace(temporary, path)


def _date_back(paths: Sequence[Path]) -> None:
    """Rename files dated in the future, as after the clock was set back, to the last seconds.

    TensorBoard reads files in the order of their names, and this run's files must come last.
    """
    now = int(time.time())
    future = [path for path in paths if int(path.name.split(".")[3]) > now]
    for place, path in enumerate(future, now - len(future)):
        parts = path.name.split(".")
        path.rename(path.with_name(".".join([*parts[:3], str(place), *parts[4:]])))
