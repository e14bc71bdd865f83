"""Folders of shapes for tests."""

import os
import tarfile

import numpy as np

CHAIR, TABLE = "03001627", "04379243"


def grid(seed, n=32):
    voxels = np.random.default_rng(seed).random((n, n, n)) < 0.1
    voxels[0, 0, 0] = voxels[-1, -1, -1] = True
    return voxels


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))
    return path


def pack(root, path, prefix="ShapeNetVox32"):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, prefix)
    return path


def ids(source):
    return [item.model_id for item in source.items()]
