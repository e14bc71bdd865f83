"""A reconstructor without a model, for tests of what is around it."""

import numpy as np

from ptn_semi.inference import reconstruction
from ptn_semi.projection.projector import Projector


def extrude(masks):
    """Voxels of the mask's outline all along x."""
    upright = masks[:, ::-1, :, 0]  # y up
    return np.broadcast_to(upright[:, None] * 0.9, [len(masks), 16, 16, 16])


def extrude_all(masks, viewpoints):
    """Voxels where any view has them, and the viewpoints, or some."""
    voxels = np.max([extrude(views) for views in masks.swapaxes(0, 1)], axis=0)
    if viewpoints is None:
        viewpoints = np.zeros([*masks.shape[:2], 2], np.float32)
    return voxels, viewpoints


FAKE = reconstruction.Reconstructor(
    extrude, 16, threshold=0.3, extent=0.75, fuse=extrude_all, projector=Projector(16)
)
