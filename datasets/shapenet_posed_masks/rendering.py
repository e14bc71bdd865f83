"""Make one example of the data set from its shape and the settings alone."""

import hashlib
from typing import Any

import numpy as np
import tensorflow as tf

from ptn_semi.projection import framed_views, geometry, resolutions
from ptn_semi.projection.projector import Projector
from shapenet_posed_masks.sources.base import Item


def draw_viewpoints(model_id: str, config) -> np.ndarray:
    """Draw the viewpoints of one shape for a `PosedMasksConfig`.

    Its seed and the model id alone decide the draw.

    Returns:
      float32 [num_views, 2 or 7], see `geometry`; not framed yet.
    """
    digest = hashlib.sha256(f"{config.seed}/{model_id}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    views = config.views
    if views.num_values > 2:
        shares = generator.uniform(size=(config.num_views, 5))
        return geometry.viewpoints_within(shares, views, config.camera).numpy()
    low, high = zip(views.elevation, views.azimuth, strict=True)
    return generator.uniform(low, high, (config.num_views, 2)).astype(np.float32)


class Renderer:
    """Renders shapes to examples of a `PosedMasksConfig`, traced once, from any thread."""

    def __init__(self, config):
        self._config = config
        side = resolutions.fine_side(config.image_size, config.voxel_size)
        projector = Projector(side, config.camera, pooling="max")

        @tf.function
        def render(voxels, viewpoints):
            grids = tf.repeat(voxels[None], config.num_views, axis=0)
            viewpoints = framed_views.frame(grids, viewpoints)
            masks = resolutions.render(projector, grids, viewpoints, config.image_size)
            return masks > 0, viewpoints

        # Traced here, because every thread that found it untraced would trace it again.
        self._render = render.get_concrete_function(
            tf.TensorSpec((config.voxel_size,) * 3, tf.bool),
            tf.TensorSpec((config.num_views, config.views.num_values), tf.float32),
        )

    def example(self, item: Item, voxels: np.ndarray) -> tuple[str, dict[str, Any]]:
        """Render the voxels of one shape, bool [N, N, N], axes x, y, z.

        Returns:
          (key, example), where the example holds the data set's features.
        """
        viewpoints = draw_viewpoints(item.model_id, self._config)
        masks, viewpoints = (each.numpy() for each in self._render(voxels, viewpoints))
        return item.model_id, {
            "model_id": item.model_id,
            "category": item.category,
            "voxels": voxels,
            "masks": masks,
            "viewpoints": viewpoints,
        }
