"""Checks of a trained model's paths that run before TensorFlow is loaded, which takes seconds."""

import os
import pathlib
from collections.abc import Sequence

from ptn_semi.models.checkpoint_paths import holds_checkpoint, holds_pretrained, local_model
from ptn_semi.settings import EXPORT_FORMATS
from ptn_semi.utils import cli, files
from ptn_semi.utils.errors import UserError


def check_model(path: str | os.PathLike) -> None:
    """Check that a path is a workdir, a checkpoint, a SavedModel or an exported `pretrained` model.

    A model that is named as hf://user/model is downloaded.

    Raises:
      UserError: if it holds none of their files, or TensorFlow cannot find it in this locale, or it
        cannot be downloaded.
    """
    folder = local_model(path)
    is_saved_model = (folder / "saved_model.pb").exists()
    if not holds_checkpoint(folder) and not holds_pretrained(folder) and not is_saved_model:
        raise UserError(f"{path} holds no checkpoint: pass the workdir of a training run")
    files.check_encoding(path, str(path))


def check_images(paths: Sequence[str | os.PathLike], all_needed: bool) -> None:
    """Check that some images or folders exist, or all of them.

    Raises:
      UserError: if none does, or one does not that is needed.
    """
    missing = [path for path in paths if not os.path.exists(path)]
    if len(missing) == len(paths) or (missing and all_needed):
        raise UserError(f"{missing[0]} does not exist: correct the path")


# The package that a format needs, and the extra that installs it.
_PACKAGES = {"saved_model": ("tensorflow_serving", "serving"), "onnx": ("tf2onnx", "onnx")}


def check_export(output: str | os.PathLike, kind: str) -> None:
    """Check that an export, of a kind of `settings.EXPORT_FORMATS`, can be written to a path.

    Raises:
      UserError: if it exists already, a file is in the way, it has the ending of another format, it
        is a SavedModel's and not named by a version number, or a package is missing.
    """
    output = pathlib.Path(output)
    if output.exists():
        raise UserError(f"--output={output} exists already: give another path")
    files.check_folder(output.parent, f"--output={output}")
    ending = output.suffix.removeprefix(".").lower()
    if ending in EXPORT_FORMATS and ending != kind:
        raise UserError(
            f"--output={output} ends in another format than {kind}: add --format={ending}"
        )
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
