"""TFDS data set of voxel shapes and their posed silhouettes.

Importing this package registers the data set with TFDS:

    import tensorflow_datasets as tfds
    import shapenet_posed_masks
    shapes = tfds.load("shapenet_posed_masks/procedural", split="train")

Here live the TFDS builder, its renderer and the sources that it reads shapes from. This package may
import `ptn_semi.settings` and the layers below it, such as `projection` and `utils`.
"""

import ptn_semi  # noqa: F401 (turns oneDNN on, which has to come before TensorFlow's import)
from shapenet_posed_masks.shapenet_posed_masks_dataset_builder import Builder, PosedMasksConfig

__all__ = ["Builder", "PosedMasksConfig"]
