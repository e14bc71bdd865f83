"""Folders and archives of shapes for tests."""

import os
import tarfile

import numpy as np

from shapenet_posed_masks.sources import layouts

CHAIR, TABLE = "03001627", "04379243"


def grid(seed, n=32):
    """Random voxels that span their grid."""
    voxels = np.random.default_rng(seed).random((n, n, n)) < 0.1
    voxels[0, 0, 0] = voxels[-1, -1, -1] = True
    return voxels


def put(path, data):
    """Writes a file whose time is always the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))
    return path


def pack(root, path, prefix="ShapeNetVox32"):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, prefix)
    return path


def vox32_source(path, categories=(), voxel_size=32):
    return layouts.open_source("shapenet_vox32", str(path), categories, voxel_size)


def ids(source):
    return [item.model_id for item in source.items()]
