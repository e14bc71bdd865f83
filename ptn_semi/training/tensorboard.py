"""TensorBoard logging of a training run: scalars, pictures and voxel meshes."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.mesh import summary_v2 as mesh_summary

from ptn_semi.utils import files
from ptn_semi.visual import mesh_batches

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
_EVENT_FILES = "events.out.tfevents.*.v2"  # as tf.summary names them


class Summaries:
    """Writes events for TensorBoard. A resumed run replaces the events after its checkpoint.

    A run that was killed has written events beyond its last checkpoint. They are removed, so that
    every point is in the folder once.

    Call `flush()` before saving a checkpoint, so that no event up to its step can be lost.

    Args:
      logdir: folder of the event files of this run alone; created if it is missing.
      resumed_step: step of the checkpoint that the run resumes from. Events up to and including
        this step are kept; none for None.

    Raises:
      UserError: if the folder cannot be written. Every method raises it too.
    """

    def __init__(self, logdir: str | os.PathLike, resumed_step: int | None = None):
        self._logdir = logdir
        with self._writing():
            for path in Path(logdir).glob(_EVENT_FILES):
                if resumed_step is None:
                    path.unlink()
                else:
                    _drop_events_after(path, resumed_step)
            self._writer = tf.summary.create_file_writer(str(logdir))

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
        """Write shapes, each bool [N, N, N], for the mesh dashboard."""
        meshes = mesh_batches.batch_meshes(occupied)
        with self._writing(), self._writer.as_default():
            mesh_summary.mesh(name, **meshes, config_dict=_MESH_CONFIG, step=int(step))

    def flush(self) -> None:
        """Write all events so far to the file."""
        with self._writing():
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        with self._writing():
            self._writer.close()


def _drop_events_after(path: Path, last_step: int) -> None:
    """Remove the events after a step from an event file, and a last record that is cut short."""
    # While the file is written, its name has no "tfevents" in it, so TensorBoard does not read it.
    with (
        files.replacing(path, tf.errors.OpError) as partial,
        tf.io.TFRecordWriter(str(partial)) as writer,
        contextlib.suppress(tf.errors.DataLossError),  # the run was killed within a record
    ):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            if tf.compat.v1.Event.FromString(record).step <= last_step:
                writer.write(record)
