"""The projector P, which maps voxels and a viewpoint to a mask.

P samples the voxels along the rays of a camera in one of two ways:
  nearest: takes the voxel that holds the sample. Fastest; gradient to the voxels only.
  smooth: interpolates linearly. Gradient to the voxels and to the viewpoint.
It pools a ray's samples v in one of three ways:
  absorption: 1 − exp(−Σ v), the light that voxels absorb, as in the paper's projector.
  probability: 1 − Π (1 − v), the probability that the ray meets an occupied voxel, if they are
    occupied independently of one another with the probabilities v.
  max: the largest v, as in Perspective Transformer Nets.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ptn_semi.projection.broadcasting import check_batches, equal_batches
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.nearest_sampling import NearestSampler
from ptn_semi.projection.rays import POOLINGS
from ptn_semi.projection.smooth_sampling import SmoothSampler

SAMPLERS: dict[str, type[NearestSampler] | type[SmoothSampler]] = {
    "nearest": NearestSampler,
    "smooth": SmoothSampler,
}
_INPUTS = "voxels and viewpoints"
_MAX_PROBABILITY = 1 - 1e-4  # of a certain voxel the logarithm would be infinite


@keras.saving.register_keras_serializable(package="ptn_semi")
class Projector(keras.layers.Layer):
    """Projects voxels to masks: `mask = P(voxels, viewpoint)`.

    >>> projector = Projector(image_size=32)
    >>> masks = projector([voxels, viewpoints])

    Args:
      image_size: S, rows and columns of the mask; it need not equal the voxel size.
      camera: the `Camera`, or its `to_dict()`; by default the authors' camera.
      sampling: "nearest" or "smooth"; see the module.
      pooling: "absorption", "probability" or "max"; see the module.
      jit_compile: compile the arithmetic with XLA, but never the networks around it.

    Raises:
      ValueError: if `sampling` or `pooling` is unknown, or the inputs have other shapes.

    Input shape: voxels [B, N, N, N] in [0, 1], axes x, y, z; viewpoints [B, 2], elevation and
      azimuth in degrees, or with nearest sampling [B, 7], with cameras of their own; see
      `geometry`. Either may be a batch of one, which then goes with each example of the other.
    Output shape: masks [B, S, S, 1] in [0, 1], float32.
    """

    def __init__(
        self,
        image_size: int = 32,
        camera: Camera | dict[str, Any] | None = None,
        sampling: str = "nearest",
        pooling: str = "absorption",
        jit_compile: bool = True,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")  # sums along rays are too inexact in half precision
        super().__init__(**kwargs)
        if sampling not in SAMPLERS:
            raise ValueError(f"sampling is one of {', '.join(SAMPLERS)}, not {sampling!r}")
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is one of {', '.join(POOLINGS)}, not {pooling!r}")
        if isinstance(camera, dict):
            camera = Camera(**camera)
        self.image_size, self.camera = image_size, camera or Camera()
        self.sampling, self.pooling, self.jit_compile = sampling, pooling, jit_compile
        self._sampler = SAMPLERS[sampling](image_size, self.camera, jit_compile)
        self.built = True  # it has no weights

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Project the inputs, voxels and viewpoints, to masks [B, S, S, 1]."""
        voxels, viewpoints = (tf.convert_to_tensor(x) for x in inputs)
        if voxels.shape.rank != 4 or len(set(voxels.shape[1:])) != 1 or voxels.shape[1] is None:
            raise ValueError(f"voxels are [B, N, N, N] with a known N, not {voxels.shape}")
        sizes = (2, 7) if self.sampling == "nearest" else (2,)
        if viewpoints.shape.rank != 2 or viewpoints.shape[1] not in sizes:
            raise ValueError(
                f"viewpoints are {' or '.join(f'[B, {size}]' for size in sizes)} with "
                f"{self.sampling} sampling, not {viewpoints.shape}"
            )
        voxels, viewpoints = tf.cast(voxels, tf.float32), tf.cast(viewpoints, tf.float32)
        voxels, viewpoints = equal_batches(voxels, viewpoints, _INPUTS)
        if self.pooling == "max":
            # Samples that tie for the maximum share the gradient.
            masks = tf.reduce_max(self._sampler.samples(voxels, viewpoints), axis=1)
        else:
            if self.pooling == "probability":
                voxels = -tf.math.log(1 - tf.minimum(voxels, _MAX_PROBABILITY))
            masks = 1 - tf.exp(-self._sampler.sums(voxels, viewpoints))
        return masks[..., None]

    def ray_voxels(self, viewpoints: tf.Tensor, voxel_size: int) -> tf.Tensor:
        """Return which voxels each ray passes, with nearest sampling.

        Args:
          viewpoints: [B, 2 or 7]; see `geometry`.
          voxel_size: N, the side of the grid.

        Returns:
          Indices into a flattened grid, int32 [B, K, S, S], of K samples per ray, the farthest from
          the camera first; N³ for samples outside the grid.

        Raises:
          ValueError: if the sampling is smooth.
        """
        if not isinstance(self._sampler, NearestSampler):
            raise ValueError("rays pass voxels with nearest sampling only")
        return self._sampler.indices(tf.cast(viewpoints, tf.float32), voxel_size)

    def compute_output_shape(
        self, input_shape: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        """Return the shape of the masks."""
        grids, viewpoints = (shape[0] for shape in input_shape)
        check_batches(grids, viewpoints, _INPUTS)
        return (viewpoints if grids == 1 else grids, self.image_size, self.image_size, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "camera": self.camera.to_dict(),
            "sampling": self.sampling,
            "pooling": self.pooling,
            "jit_compile": self.jit_compile,
        }
