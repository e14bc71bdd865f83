"""Cameras, grids and viewpoints for tests of the projector."""

import functools

import numpy as np
import pytest

from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import POOLINGS, SAMPLERS, Projector

ORTHOGRAPHIC = Camera(perspective=False)
PERSPECTIVE = Camera()
CAMERAS = pytest.mark.parametrize("camera", [PERSPECTIVE, ORTHOGRAPHIC], ids=["persp", "ortho"])
ALL_SAMPLINGS = pytest.mark.parametrize("sampling", SAMPLERS)
ALL_POOLINGS = pytest.mark.parametrize("pooling", POOLINGS)


@functools.cache
def make(image_size, camera=PERSPECTIVE, sampling="nearest", pooling="absorption", jit=False):
    return Projector(image_size, camera, sampling, pooling, jit_compile=jit)


def project(voxels, viewpoints, image_size=None, **options):
    """Masks [B, S, S] of one grid, or of a batch of grids, from each viewpoint."""
    viewpoints = np.asarray(viewpoints, np.float32).reshape(-1, 2)
    voxels = np.asarray(voxels, np.float32)
    voxels = np.broadcast_to(voxels, (len(viewpoints), *voxels.shape[-3:]))
    masks = make(image_size or voxels.shape[-1], **options)([voxels, viewpoints])
    return masks.numpy()[..., 0]


def random_grids(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def random_viewpoints(count, seed=0):
    return np.random.default_rng(seed).uniform((-80, -180), (80, 180), (count, 2)).astype("f")
