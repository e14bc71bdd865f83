"""Serves a page to try a model on: `python -m ptn_semi.demo`.

Drop an image or draw an outline, turn the shape, choose the threshold and download the mesh. The
page listens on this machine only, unless --host says otherwise. It needs the extra `demo`.
"""

from absl import flags as absl_flags

from ptn_semi.inference.paths import check_model
from ptn_semi.utils import cli, flags
from ptn_semi.utils.errors import UserError

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string(
        "model",
        None,
        "Workdir of a training run, an exported SavedModel, or a published one (hf://user/model). "
        "Default: the model that comes with the package.",
    )
    absl_flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for any.")
    absl_flags.DEFINE_integer("port", 7860, "Port to listen on.", 1, 65535)
    absl_flags.DEFINE_integer("max_upload_mb", 10, "Largest image, in MB.", 1, 1000)
    flags.keep_local("model", models=True)


def main() -> None:
    """Parse flags and call the library."""
    cli.check_package("gradio", "the page needs gradio: pip install 'ptn_semi[demo]'")
    if FLAGS.model is not None:
        check_model(FLAGS.model)
    with cli.loading():
        from ptn_semi.inference import reconstruction
        from ptn_semi.web import page
    reconstructor = reconstruction.load_model(FLAGS.model)
    try:
        served = page.launch(reconstructor, FLAGS.host, FLAGS.port, FLAGS.max_upload_mb)
    except OSError as error:
        raise UserError(
            f"cannot listen on port {FLAGS.port} ({error}): pass another --port"
        ) from error
    served.block_thread()


if __name__ == "__main__":
    cli.run(main, define_flags)
