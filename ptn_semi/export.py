"""Exports a model for other programs: `python -m ptn_semi.export --workdir=... --output=models/1`.

--format=saved_model writes a folder for TF Serving, named by a version number, with the signatures
of `exports.Servable`. tflite and onnx write a file that maps masks to voxels and latents.
pretrained writes a small folder to publish, which ptn_semi reads from anywhere.
"""

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.inference.paths import check_export, check_model
from ptn_semi.utils import cli, flags

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Workdir of the training run.")
    absl_flags.DEFINE_string("output", None, "Folder or file to write.")
    absl_flags.DEFINE_enum("format", "saved_model", settings.EXPORT_FORMATS, "What to write.")
    flags.keep_local("workdir", "output")
    flags.require("workdir", "FOLDER")
    flags.require("output", "PATH")


def main() -> None:
    """Parse flags and call the library."""
    check_export(FLAGS.output, FLAGS.format)
    check_model(FLAGS.workdir)
    with cli.loading():
        from ptn_semi.inference import exports
    print(f"written: {exports.export(FLAGS.workdir, FLAGS.output, FLAGS.format)}")


if __name__ == "__main__":
    cli.run(main, define_flags)
