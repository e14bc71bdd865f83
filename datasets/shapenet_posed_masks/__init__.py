"""TFDS data set of voxel shapes and their posed silhouettes."""

import ptn_semi  # noqa: F401 (before TensorFlow, which it has compute with oneDNN)
