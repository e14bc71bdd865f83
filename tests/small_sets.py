"""Small data sets for tests."""

import dataclasses
import os
import pathlib

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
    return list(pathlib.Path(data_dir).glob("shapenet_posed_masks/*/1.0.1"))
