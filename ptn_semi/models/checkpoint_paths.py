"""Names of the files and folders of checkpoints, for checks before TensorFlow is loaded."""

import os
import pathlib

METADATA = "checkpoint.json"  # in the folder of each checkpoint
FOLDER = "checkpoints"  # in a workdir


def holds_checkpoint(path: str | os.PathLike) -> bool:
    """Return whether a path seems to be a checkpoint's folder or the workdir of a training run."""
    return any((pathlib.Path(path) / name).exists() for name in (METADATA, FOLDER))
