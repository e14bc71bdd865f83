"""What can be refused before TensorFlow is loaded, which takes seconds: commands ask this first.

All of it is checked again where it is used; the libraries do not rely on it.
"""

import importlib.util
import pathlib

from ptn_semi import settings
from ptn_semi.training import workdirs
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources import layouts

_MODEL_FILES = ("saved_model.pb", "checkpoints", "checkpoint.json")


def check_training(workdir, data, train, run):
    """Refuses a training that cannot be.

    Args:
      workdir: folder of the run, or None where there is none yet.
      data, train, run: its settings.

    Raises:
      UserError: settings that do not go together, or not with the workdir; missing shapes.
    """
    settings.check(data, train, run)
    if workdir is not None:
        workdirs.check_settings(pathlib.Path(workdir), data, train)
    check_shapes(data)


def check_shapes(data):
    """Refuses a `DataSettings` whose shapes are nowhere; files are not looked into.

    Raises:
      UserError: --manual_dir is missing or wrong, or a procedural category or an axis is unknown.
    """
    prepared = pathlib.Path(data.data_dir).glob(f"*/{data.dataset}-*")
    if data.dataset != "procedural" and not data.manual_dir and any(prepared):
        return  # one of these may be it; its files are not needed then
    layouts.open_source(
        data.dataset, data.manual_dir, voxel_size=data.voxel_size, **data.source_options
    )


def check_model(path):
    """Refuses a path that is no workdir, checkpoint or SavedModel.

    Raises:
      UserError: it holds none of their files.
    """
    if not any((pathlib.Path(path) / name).exists() for name in _MODEL_FILES):
        raise UserError(f"{path} holds no checkpoint: give a workdir that was trained in")


def check_export(output, kind):
    """Refuses an output that is taken, or that TF Serving would not find.

    Args:
      output: file or folder to write.
      kind: one of `settings.EXPORT_FORMATS`.

    Raises:
      UserError: it is there already, or not named by a version number.
    """
    output = pathlib.Path(output)
    if output.exists():
        raise UserError(f"--output={output} is there already: give another")
    if kind == "saved_model" and not output.name.isdecimal():
        raise UserError(
            f"--output={output} is to end in a version number, as TF Serving wants it: "
            f"{output / '1'}"
        )


def check_package(name, sentence):
    """Raises a `UserError` of this sentence where a package is not installed."""
    if importlib.util.find_spec(name) is None:
        raise UserError(sentence)
