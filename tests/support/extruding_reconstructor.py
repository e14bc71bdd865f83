"""A reconstructor without a model, for tests of what is around it."""

import numpy as np

from ptn_semi.inference.reconstruction import Reconstructor
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.projection.projector import Projector
from support.tiny_networks import TINY


class ExtrudingNetworks:
    """Stands for `Networks`: predicts the mask's outline all along x."""

    def __init__(self, size):
        self.settings = ModelSettings(TINY, size, size)
        self.render_projector = Projector(size)

    def predict(self, masks):
        upright = masks[:, ::-1, :, 0]  # y up
        shape = [len(masks), *[self.settings.voxel_size] * 3]
        return np.broadcast_to(upright[:, None] * 0.9, shape).astype(np.float32)

    def predict_views(self, masks, viewpoints=None):
        """Voxels where any view has them, and the viewpoints, or some."""
        voxels = np.max([self.predict(views) for views in masks.swapaxes(0, 1)], axis=0)
        if viewpoints is None:
            viewpoints = np.zeros([*masks.shape[:2], 2], np.float32)
        return voxels, viewpoints


_NETWORKS = ExtrudingNetworks(32)
FAKE = Reconstructor(_NETWORKS, ModelInfo(_NETWORKS.settings, 0.3, 0.75, (), step=1))
