"""P: voxels and a viewpoint to a mask, by sampling along the rays of a camera.

Every ray (one per pixel) is sampled on planes of equal depth, one voxel apart; the planes cover
the depth that a turned grid needs. All coordinates are `ptn_semi.geometry`'s.

Two ways to sample:
  nearest: the voxel that holds the sample. Fast; gradient to the voxels only.
  trilinear: from the eight voxels around it. Gradient to the voxels and to the viewpoint.
Two ways to pool a ray's samples v:
  absorption: 1 − exp(−Σ v), what the paper's projector does with the light that voxels absorb.
  max: the largest v, as Perspective Transformer Nets.

The gradient is written by hand: the samples' indices are worked out again rather than kept (that
is cheaper than reading them back), and the sums into voxels are one weighted histogram per grid.
The index arithmetic is compiled with XLA, the histogram is not (XLA's CPU scatter is slower).
"""

import dataclasses
import functools
import math

import keras
import numpy as np
import tensorflow as tf

from ptn_semi import geometry

SAMPLINGS = ("nearest", "trilinear")
POOLINGS = ("absorption", "max")


def num_samples_for(voxel_size):
    """Planes along a ray: as deep as the grid's diagonal, on voxels' centres at quarter turns."""
    return voxel_size + 2 * math.ceil(voxel_size * (math.sqrt(3) - 1) / 2)


def _ray_points(voxel_size, image_size, camera):
    """Samples in camera coordinates, in voxels: right [K, 1, S], up [K, S, 1], back [K, 1, 1]."""
    num_samples = num_samples_for(voxel_size)
    depths = ((num_samples - 1) / 2 - np.arange(num_samples)) / voxel_size  # nearest plane first
    across = (2 * np.arange(image_size) + 1) / image_size - 1  # pixel centres in (−1, 1)
    half_width = camera.half_width(depths)[:, None, None]
    right, up = half_width * across[None, None, :], half_width * -across[None, :, None]
    points = right, up, depths[:, None, None]
    return [tf.constant(x * voxel_size, tf.float32) for x in points]


def _object_indices(viewpoints, voxel_size, image_size, camera):
    """Samples in object coordinates, where voxel i spans [i, i + 1): three [B, K, S, S]."""
    right, up, back = _ray_points(voxel_size, image_size, camera)
    axes = geometry.rotation(viewpoints)[..., None, None, None]  # [B, 3, 3, 1, 1, 1]
    return [
        axes[:, 0, i] * right + axes[:, 1, i] * up + axes[:, 2, i] * back + voxel_size / 2
        for i in range(3)
    ]


def _flat(i, j, k, voxel_size):
    """Index into a flattened grid, [B, K, S, S]; N³ (one past the end) for points outside."""
    inside = tf.ones_like(i, tf.bool)
    for x in (i, j, k):
        inside &= (x >= 0) & (x < voxel_size)
    return tf.where(inside, (i * voxel_size + j) * voxel_size + k, voxel_size**3)


def _taps(viewpoints, voxel_size, image_size, camera, sampling):
    """Voxels that each sample reads: a list of (flat index, weight), both [B, K, S, S]."""
    points = _object_indices(viewpoints, voxel_size, image_size, camera)
    if sampling == "nearest":
        indices = [tf.cast(tf.floor(x), tf.int32) for x in points]
        return [(_flat(*indices, voxel_size), 1.0)]
    lows = [tf.floor(x - 0.5) for x in points]
    highs_weight = [x - 0.5 - low for x, low in zip(points, lows, strict=True)]
    lows = [tf.cast(low, tf.int32) for low in lows]
    taps = []
    for corner in np.ndindex(2, 2, 2):
        indices = [low + c for low, c in zip(lows, corner, strict=True)]
        weights = [w if c else 1 - w for w, c in zip(highs_weight, corner, strict=True)]
        taps.append((_flat(*indices, voxel_size), weights[0] * weights[1] * weights[2]))
    return taps


@dataclasses.dataclass(frozen=True)
class _Sampler:
    """The linear map from voxels to samples, its adjoint, and ray pooling."""

    image_size: int
    camera: geometry.Camera
    sampling: str
    pooling: str
    jit_compile: bool

    def samples(self, voxels, viewpoints):
        """[B, K, S, S] samples of [B, N, N, N] voxels."""
        size = voxels.shape[1]
        flat = tf.reshape(voxels, [-1, size**3])
        flat = tf.pad(flat, [[0, 0], [0, 1]])  # the zero that points outside read
        taps = _taps(viewpoints, size, self.image_size, self.camera, self.sampling)
        return sum(weight * tf.gather(flat, index, batch_dims=1) for index, weight in taps)

    def pool(self, samples):
        """[B, S, S] pixels of [B, K, S, S] samples."""
        if self.pooling == "max":
            return tf.reduce_max(samples, axis=1)
        return -tf.math.expm1(-tf.reduce_sum(samples, axis=1))

    def forward(self, voxels, viewpoints):
        return self.pool(self.samples(voxels, viewpoints))

    def sample_gradient(self, voxels, viewpoints, masks, upstream):
        """Taps and what each adds to its voxel: two [B, taps·K·S·S]."""
        size = voxels.shape[1]
        if self.pooling == "max":
            # Equal samples share the gradient. Not compared with `masks`: XLA rounds the same sum
            # otherwise in another program, and then no sample would equal it.
            samples = self.samples(voxels, viewpoints)
            hits = tf.cast(samples == tf.reduce_max(samples, axis=1, keepdims=True), tf.float32)
            weights = (upstream / tf.reduce_sum(hits, axis=1))[:, None] * hits
        else:
            # d(1 − exp(−Σ))/dv = exp(−Σ), the same for all samples of a ray.
            weights = (upstream * (1 - masks))[:, None]
        taps = _taps(viewpoints, size, self.image_size, self.camera, self.sampling)
        indices = tf.concat([tf.reshape(i, [tf.shape(i)[0], -1]) for i, _ in taps], axis=1)
        values = [tf.broadcast_to(w * weights, tf.shape(i)) for i, w in taps]
        return indices, tf.concat([tf.reshape(v, [tf.shape(v)[0], -1]) for v in values], axis=1)

    def viewpoint_gradient(self, voxels, viewpoints, upstream):
        with tf.GradientTape() as tape:
            tape.watch(viewpoints)
            masks = self.forward(tf.stop_gradient(voxels), viewpoints)
        return tape.gradient(masks, viewpoints, output_gradients=upstream)

    @functools.cached_property
    def _compiled(self):
        """The three methods as functions that are traced once per shape, eager calls too."""
        methods = self.forward, self.sample_gradient, self.viewpoint_gradient
        return [tf.function(method, jit_compile=self.jit_compile) for method in methods]

    def __call__(self, voxels, viewpoints):
        forward, sample_gradient, viewpoint_gradient = self._compiled

        @tf.custom_gradient
        def project(voxels, viewpoints):
            masks = forward(voxels, viewpoints)

            def gradient(upstream):
                taps = sample_gradient(voxels, viewpoints, masks, upstream)
                to_voxels = tf.reshape(_histogram(*taps, voxels.shape[1] ** 3), tf.shape(voxels))
                if self.sampling == "nearest":
                    return to_voxels, None
                return to_voxels, viewpoint_gradient(voxels, viewpoints, upstream)

            return masks, gradient

        return project(voxels, viewpoints)


def _histogram(indices, weights, size):
    """Sums of weights [B, n] by index [B, n] < size, per row; indices ≥ size count nowhere."""
    if not tf.config.list_physical_devices("GPU"):
        # One thread per row: faster than the scatters, and the same bits on every run.
        return tf.raw_ops.DenseBincount(input=indices, size=size, weights=weights)
    rows = tf.range(tf.shape(indices)[0])[:, None]
    flat = tf.where(indices < size, rows * size + indices, -1)
    total = tf.shape(indices)[0] * size
    sums = tf.math.unsorted_segment_sum(tf.reshape(weights, [-1]), tf.reshape(flat, [-1]), total)
    return tf.reshape(sums, [-1, size])


@keras.saving.register_keras_serializable(package="ptn_semi")
class Projector(keras.layers.Layer):
    """Projects voxels to masks: `mask = P(voxels, viewpoint)`.

    >>> projector = Projector(image_size=32)
    >>> masks = projector([voxels, viewpoints])

    Args:
      image_size: S, rows and columns of the mask; free of the voxel size.
      camera: a `geometry.Camera`, or its `to_dict()`.
      sampling: "nearest" or "trilinear"; see the module.
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
        if sampling not in SAMPLINGS:
            raise ValueError(f"sampling is one of {', '.join(SAMPLINGS)}, not {sampling!r}")
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is one of {', '.join(POOLINGS)}, not {pooling!r}")
        if isinstance(camera, dict):
            camera = geometry.Camera(**camera)
        self._sampler = _Sampler(
            image_size, camera or geometry.Camera(), sampling, pooling, jit_compile
        )

    def call(self, inputs):
        """[voxels, viewpoints] to masks; see the class."""
        voxels, viewpoints = (tf.convert_to_tensor(x) for x in inputs)
        if voxels.shape.rank != 4 or len(set(voxels.shape[1:])) != 1 or voxels.shape[1] is None:
            raise ValueError(f"voxels are [B, N, N, N] with a known N, not {voxels.shape}")
        if viewpoints.shape.rank != 2 or viewpoints.shape[1] != 2:
            raise ValueError(f"viewpoints are [B, 2], not {viewpoints.shape}")
        voxels, viewpoints = tf.cast(voxels, tf.float32), tf.cast(viewpoints, tf.float32)
        return self._sampler(voxels, viewpoints)[..., None]

    def compute_output_shape(self, input_shape):
        """Shape of the masks."""
        return (input_shape[0][0], self._sampler.image_size, self._sampler.image_size, 1)

    def get_config(self):
        """What `from_config` needs."""
        config = dataclasses.asdict(self._sampler)
        return {**super().get_config(), **config}
