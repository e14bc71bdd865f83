"""Back-projection, the projector's counterpart: every voxel reads the pixel that shows it."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.projection.broadcasting import equal_batches
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
      jit_compile: compute the voxels' pixels with XLA.

    Raises:
      ValueError: if the inputs have different numbers of examples, and neither is a batch of one.

    Input shape: images [B, S, S, C]; viewpoints [B, 2 or 7], see `geometry`. Either may be a batch
      of one, which then goes with each example of the other.
    Output shape: [B, n, n, n, C], axes x, y, z; C + 2 channels with the position.
    """

    def __init__(
        self,
        voxel_size: int,
        camera: Camera | dict[str, Any] | None = None,
        position: bool = False,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        # Keras would round the viewpoints too, in half precision to whole degrees.
        super().__init__(autocast=False, **kwargs)
        if isinstance(camera, dict):
            camera = Camera(**camera)
        self.voxel_size, self.camera, self.position = voxel_size, camera or Camera(), position
        self.jit_compile = jit_compile
        if jit_compile:
            self._pixels = tf.function(  # type: ignore[method-assign]
                self._pixels, jit_compile=True, autograph=False
            )

    def call(self, images: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Back-project images to [B, n, n, n, C], or C + 2 channels, in the compute dtype."""
        images = tf.cast(images, self.compute_dtype)
        images, viewpoints = equal_batches(images, viewpoints, "images and viewpoints")
        size, image_size, channels = self.voxel_size, images.shape[1], images.shape[-1]
        places = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        centres = np.stack(np.meshgrid(places, places, places, indexing="ij")).reshape(3, -1)
        # Where voxels are to the right, up and towards the camera, [B, 3, n³] in grid sides.
        along = geometry.rotation(tf.cast(viewpoints, tf.float32)) @ centres
        # A border of zeros, for the voxels outside the image.
        padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
        pixels = self._pixels(along, viewpoints, image_size)
        values = tf.gather(
            tf.reshape(padded, [-1, (image_size + 2) ** 2, channels]), pixels, batch_dims=1
        )
        if self.position:
            depth = along[:, 2]
            position = tf.stack([depth, tf.zeros_like(depth) + centres[1]], axis=-1)
            values = tf.concat([values, tf.cast(position, images.dtype)], axis=-1)
        return tf.reshape(values, [-1, size, size, size, values.shape[-1]])

    def _pixels(self, along: tf.Tensor, viewpoints: tf.Tensor, image_size: int) -> tf.Tensor:
        """Return each voxel's pixel [B, n³], an index into an image with a border of one pixel."""
        right_and_up, depths = along[:, :2], along[:, 2:]
        if viewpoints.shape[1] == 2:
            reach = self.camera.half_width(depths) if self.camera.perspective else 0.5
            shares = right_and_up / reach
        else:
            distance, half_width, centre = tf.split(
                tf.cast(viewpoints, tf.float32)[:, 3:, None], [1, 1, 2], axis=1
            )
            shares = (right_and_up / (1 - depths / distance) - centre) / half_width
        places = (shares * np.array([[1], [-1]], np.float32) + 1) * (image_size / 2) + 1
        columns, rows = tf.unstack(
            tf.cast(tf.clip_by_value(places, 0, image_size + 1), tf.int32), axis=1
        )
        return rows * (image_size + 2) + columns

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {
            **super().get_config(),
            "voxel_size": self.voxel_size,
            "camera": self.camera.to_dict(),
            "position": self.position,
            "jit_compile": self.jit_compile,
        }
