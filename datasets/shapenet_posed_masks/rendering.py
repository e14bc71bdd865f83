"""One example of the data set, made from its shape and the settings alone."""

import hashlib

import numpy as np
import tensorflow as tf

from ptn_semi.projection.projector import Projector

# Cumulative shares, in thousandths of the hash range.
SPLITS = {"train": 700, "validation": 800, "test": 1000}


def split_of(model_id):
    """The split of a shape; it depends on nothing else, so that adding shapes moves none."""
    digest = hashlib.sha256(model_id.encode()).digest()
    position = int.from_bytes(digest[:8], "big") * 1000 >> 64
    return next(split for split, end in SPLITS.items() if position < end)


def draw_viewpoints(model_id, config):
    """Viewpoints of one shape, float32 [num_views, 2] in degrees, from (seed, model_id) alone."""
    digest = hashlib.sha256(f"{config.seed}/{model_id}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    low, high = zip(config.elevation_range, config.azimuth_range, strict=True)
    return generator.uniform(low, high, (config.num_views, 2)).astype(np.float32)


class Renderer:
    """Makes examples; traced once, then called from any thread.

    Args:
      config: a `PosedMasksConfig`.
    """

    def __init__(self, config):
        self._config = config
        projector = Projector(config.image_size, config.camera, pooling="max")

        @tf.function(
            input_signature=[
                tf.TensorSpec((config.voxel_size,) * 3, tf.bool),
                tf.TensorSpec((config.num_views, 2), tf.float32),
            ]
        )
        def render(voxels, viewpoints):
            grids = tf.repeat(voxels[None], config.num_views, axis=0)
            return projector([grids, viewpoints]) > 0

        # Traced here, once, and not by every thread that finds it untraced.
        self._render = render.get_concrete_function()

    def example(self, item, voxels):
        """(key, example) of an `Item` and its voxels, bool [N, N, N]."""
        viewpoints = draw_viewpoints(item.model_id, self._config)
        return item.model_id, {
            "model_id": item.model_id,
            "category": item.category,
            "voxels": voxels,
            "masks": self._render(voxels, viewpoints).numpy(),
            "viewpoints": viewpoints,
        }
