"""TFDS data set of voxel shapes and their posed silhouettes.

Here live the TFDS builder, its renderer and the sources that it reads shapes from. This package may
import `ptn_semi.settings` and the layers below it, such as `projection` and `utils`.
"""

import ptn_semi  # noqa: F401 (turns oneDNN on, which has to come before TensorFlow's import)
