"""Back-projection, the projector's counterpart: every voxel reads the pixel that shows it."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera


@keras.saving.register_keras_serializable(package="ptn_semi")
class BackProjection(keras.layers.Layer):
    """Back-projects an image into a voxel grid, along the rays of a camera.

    Each voxel takes the values of the pixel that holds its centre, or zeros if it lies outside the
    image. The gradient is to the image only.

    Args:
      voxel_size: n, the side of the grid.
      camera: the `Camera`, or its `to_dict()`; by default the authors' camera.
      position: add two channels that say where a voxel is: its depth (towards the camera) and its
        height, both from the grid's centre, in grid sides.

    Input shape: images [B, S, S, C]; viewpoints [B, 2] in degrees.
    Output shape: [B, n, n, n, C], axes x, y, z; C + 2 channels with the position.
    """

    def __init__(
        self,
        voxel_size: int,
        camera: Camera | dict[str, Any] | None = None,
        position: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(camera, dict):
            camera = Camera(**camera)
        self.voxel_size, self.camera, self.position = voxel_size, camera or Camera(), position

    def call(self, images: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Back-project images.

        Args:
          images: [B, S, S, C].
          viewpoints: [B, 2] in degrees.

        Returns:
          [B, n, n, n, C], or C + 2 channels, in the images' dtype.
        """
        size, image_size, channels = self.voxel_size, images.shape[1], images.shape[-1]
        along = self._along_camera_axes(tf.cast(viewpoints, tf.float32))
        # A border of zeros, for the voxels outside the image.
        padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
        pixels = self._pixels(along, image_size)
        values = tf.gather(
            tf.reshape(padded, [-1, (image_size + 2) ** 2, channels]), pixels, batch_dims=1
        )
        if self.position:
            depth = along[:, 2]
            position = tf.stack([depth, tf.zeros_like(depth) + self._centres()[1]], axis=-1)
            values = tf.concat([values, tf.cast(position, images.dtype)], axis=-1)
        return tf.reshape(values, [-1, size, size, size, values.shape[-1]])

    def _centres(self):
        """Return the voxels' centres [3, n³] in grid sides."""
        places = (np.arange(self.voxel_size, dtype=np.float32) + 0.5) / self.voxel_size - 0.5
        return np.stack(np.meshgrid(places, places, places, indexing="ij")).reshape(3, -1)

    def _along_camera_axes(self, viewpoints):
        """Return where voxels are to the right, up and towards the camera, [B, 3, n³]."""
        turn = geometry.rotation(viewpoints)
        return turn @ self._centres()

    def _pixels(self, along, image_size):
        """Return each voxel's pixel [B, n³], an index into an image with a border of one pixel."""
        right_and_down = along[:, :2] * np.float32([[1], [-1]])
        reach = self.camera.half_width(along[:, 2:]) if self.camera.perspective else 0.5
        places = (right_and_down / reach + 1) * (image_size / 2) + 1
        columns, rows = tf.unstack(
            tf.cast(tf.clip_by_value(places, 0, image_size + 1), tf.int32), axis=1
        )
        return rows * (image_size + 2) + columns

    def compute_output_shape(
        self, images_shape: Sequence[Any], viewpoints_shape: Sequence[Any]
    ) -> tuple[int | None, ...]:
        """Return the shape of the grids."""
        channels = images_shape[-1] + (2 if self.position else 0)
        return (images_shape[0], *(self.voxel_size,) * 3, channels)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {
            **super().get_config(),
            "voxel_size": self.voxel_size,
            "camera": self.camera.to_dict(),
            "position": self.position,
        }
