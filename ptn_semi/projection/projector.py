"""P: voxels and a viewpoint to a mask, by sampling along the rays of a camera.

Two ways to sample:
  nearest: the voxel that holds the sample. Fastest; gradient to the voxels only.
  smooth: by linear interpolation. Gradient to the voxels and to the viewpoint.
Two ways to pool a ray's samples v:
  absorption: 1 − exp(−Σ v), what the paper's projector does with the light that voxels absorb.
  max: the largest v, as Perspective Transformer Nets.
"""

import keras
import tensorflow as tf

from ptn_semi.projection.camera import Camera
from ptn_semi.projection.nearest_sampling import NearestSampler
from ptn_semi.projection.smooth_sampling import SmoothSampler

SAMPLERS = {"nearest": NearestSampler, "smooth": SmoothSampler}
POOLINGS = ("absorption", "max")


@keras.saving.register_keras_serializable(package="ptn_semi")
class Projector(keras.layers.Layer):
    """Projects voxels to masks: `mask = P(voxels, viewpoint)`.

    >>> projector = Projector(image_size=32)
    >>> masks = projector([voxels, viewpoints])

    Args:
      image_size: S, rows and columns of the mask; free of the voxel size.
      camera: a `Camera`, or its `to_dict()`.
      sampling: "nearest" or "smooth"; see the module.
      pooling: "absorption" or "max"; see the module.
      jit_compile: compile the arithmetic with XLA (never the networks around it).

    Input shape: voxels [B, N, N, N] in [0, 1], axes x, y, z; viewpoints [B, 2] in degrees.
    Output shape: masks [B, S, S, 1] in [0, 1], float32.
    """

    def __init__(
        self,
        image_size=32,
        camera=None,
        sampling="nearest",
        pooling="absorption",
        jit_compile=True,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")  # line sums lose too much in half precision
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

    def call(self, inputs):
        """[voxels, viewpoints] to masks; see the class."""
        voxels, viewpoints = (tf.convert_to_tensor(x) for x in inputs)
        if voxels.shape.rank != 4 or len(set(voxels.shape[1:])) != 1 or voxels.shape[1] is None:
            raise ValueError(f"voxels are [B, N, N, N] with a known N, not {voxels.shape}")
        if viewpoints.shape.rank != 2 or viewpoints.shape[1] != 2:
            raise ValueError(f"viewpoints are [B, 2], not {viewpoints.shape}")
        voxels, viewpoints = tf.cast(voxels, tf.float32), tf.cast(viewpoints, tf.float32)
        if self.pooling == "max":
            # Equal samples share the gradient.
            masks = tf.reduce_max(self._sampler.samples(voxels, viewpoints), axis=1)
        else:
            masks = -tf.math.expm1(-self._sampler.sums(voxels, viewpoints))
        return masks[..., None]

    def compute_output_shape(self, input_shape):
        """Shape of the masks."""
        return (input_shape[0][0], self.image_size, self.image_size, 1)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "image_size": self.image_size,
            "camera": self.camera.to_dict(),
            "sampling": self.sampling,
            "pooling": self.pooling,
            "jit_compile": self.jit_compile,
        }
