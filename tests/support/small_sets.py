"""Small data sets for tests."""

import dataclasses
import os
import pathlib

import numpy as np

from ptn_semi.data.splits import Shapes
from ptn_semi.projection import geometry, resolutions
from ptn_semi.settings import DataSettings
from ptn_semi.utils import binvox
from shapenet_posed_masks import procedural

AIRPLANE, CHAIR = "02691156", "03001627"


def small(data_dir, **changes):
    """Settings of a set that builds in a second or two."""
    settings = DataSettings(data_dir=str(data_dir), num_shapes=20, num_views=3, image_size=16)
    return dataclasses.replace(settings, **changes)


def from_files(root, **changes):
    """The same for a ShapeNetVox32 folder `root`, prepared beside it."""
    settings = small(root.parent / "data", dataset="shapenet_vox32", manual_dir=str(root))
    return dataclasses.replace(settings, **changes)


def put(root, synset, model, index, voxels=None):
    """Writes a model.binvox whose time is always the same; `index` picks a procedural shape."""
    if voxels is None:
        category = {AIRPLANE: "airplane", CHAIR: "chair"}[synset]
        voxels = binvox.write(procedural.generate(category, index, 0, 32))
    path = root / synset / model / "model.binvox"
    path.parent.mkdir(parents=True)
    path.write_bytes(voxels)
    os.utime(path, (1e9, 1e9))
    return path


def put_all(root, backwards=False):
    models = [(s, f"model{i}", i) for s in (AIRPLANE, CHAIR) for i in range(5)]
    for model in reversed(models) if backwards else models:
        put(root, *model)
    return root


def examples(builder):
    """All examples by model id, with the split of each."""
    found = {}
    for split in builder.info.splits:
        for example in builder.as_dataset(split=split).as_numpy_iterator():
            found[example["model_id"].decode()] = example | {"split": split}
    return found


def finished(data_dir):
    """What looks like a prepared set: a folder named by a version."""
    return list(pathlib.Path(data_dir).glob("shapenet_posed_masks/*/1.0.6"))


def procedural_shapes(projector, categories, num_views, voxel_size=32, image_size=None, seed=0):
    """Procedural shapes in memory, one for each category that is named, seen from anywhere."""
    count, image_size = len(categories), image_size or projector.image_size
    voxels = np.stack(
        [procedural.generate(name, i, seed, voxel_size) for i, name in enumerate(categories)]
    )
    viewpoints = geometry.sample_viewpoints(count * num_views, [0, 0]).numpy()
    repeated = np.repeat(voxels, num_views, axis=0).astype(np.float32)
    masks = resolutions.render(projector, repeated, viewpoints, image_size).numpy() > 0
    return Shapes(
        model_ids=np.array([f"model{i}" for i in range(count)]),
        categories=np.array(categories),
        viewpoints=viewpoints.reshape(count, num_views, 2),
        masks=np.packbits(masks.reshape(count, num_views, -1), axis=-1),
        voxels=np.packbits(voxels.reshape(count, -1), axis=-1),
        image_size=image_size,
        voxel_size=voxel_size,
    )
