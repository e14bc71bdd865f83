"""TFDS data set of voxel shapes and their posed silhouettes."""
