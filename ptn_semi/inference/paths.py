"""Checks of a trained model's paths that run before TensorFlow is loaded, which takes seconds."""

import os
import pathlib

from ptn_semi.utils import cli
from ptn_semi.utils.errors import UserError

_MODEL_FILES = ("saved_model.pb", "checkpoints", "checkpoint.json")


def check_model(path: str | os.PathLike) -> None:
    """Check that a path is a workdir, a checkpoint or a SavedModel.

    Raises:
      UserError: if it holds none of their files.
    """
    if not any((pathlib.Path(path) / name).exists() for name in _MODEL_FILES):
        raise UserError(f"{path} holds no checkpoint: pass the workdir of a training run")


# The package that a format needs, and the extra that installs it.
_PACKAGES = {"saved_model": ("tensorflow_serving", "serving"), "onnx": ("tf2onnx", "onnx")}


def check_export(output: str | os.PathLike, kind: str) -> None:
    """Check that an export, of a kind of `settings.EXPORT_FORMATS`, can be written to a path.

    Raises:
      UserError: if it exists already, is a SavedModel's and not named by a version number, or a
        package is missing.
    """
    output = pathlib.Path(output)
    if output.exists():
        raise UserError(f"--output={output} exists already: give another path")
    if kind == "saved_model" and not output.name.isdecimal():
        raise UserError(
            f"--output={output} must end in a version number, as TF Serving requires: give "
            f"{output / '1'}"
        )
    if kind in _PACKAGES:
        package, extra = _PACKAGES[kind]
        cli.check_package(
            package, f"--format={kind} needs {package}: pip install 'ptn_semi[{extra}]'"
        )
