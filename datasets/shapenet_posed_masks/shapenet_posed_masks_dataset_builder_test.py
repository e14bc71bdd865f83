"""Run TFDS' own test of a data set.

`dummy_data/` is a ShapeNetVox32 folder of six procedural shapes that `binvox.write` wrote: an
airplane and a chair for each split.
"""

import tensorflow_datasets as tfds

from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


class ShapenetVox32Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = posed_masks.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ["shapenet_vox32"]
    SPLITS = {"train": 2, "validation": 2, "test": 2}


if __name__ == "__main__":
    tfds.testing.test_main()
