"""Names of the files and folders of models, for checks before TensorFlow is loaded."""

import os
import pathlib

from ptn_semi.utils import hub

METADATA = "checkpoint.json"  # in the folder of each checkpoint
FOLDER = "checkpoints"  # in a workdir
DESCRIPTION, WEIGHTS = "model.json", "model.npz"  # of a model that `models.pretrained` wrote


def holds_checkpoint(path: str | os.PathLike) -> bool:
    """Return whether a path seems to be a checkpoint's folder or the workdir of a training run."""
    return any((pathlib.Path(path) / name).exists() for name in (METADATA, FOLDER))


def holds_pretrained(path: str | os.PathLike) -> bool:
    """Return whether a path seems to be a folder that `models.pretrained` wrote."""
    return (pathlib.Path(path) / DESCRIPTION).exists()


def local_model(path: str | os.PathLike) -> pathlib.Path:
    """Return the local path of a model; one named as hf://user/model is downloaded.

    Raises:
      UserError: if it cannot be downloaded.
    """
    if hub.is_address(path):
        return hub.download(os.fspath(path), (DESCRIPTION, WEIGHTS))
    return pathlib.Path(path)
