"""What can be refused of a trained model before TensorFlow is loaded, which takes seconds."""

import pathlib

from ptn_semi.utils.errors import UserError

_MODEL_FILES = ("saved_model.pb", "checkpoints", "checkpoint.json")


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
