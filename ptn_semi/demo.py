"""Serves a page to try a model on: `python -m ptn_semi.demo --model=runs/quickstart`.

Drop an image or draw an outline, see the shape turn, choose the threshold, download the mesh. It
listens on this machine only unless --host says otherwise. Needs the `demo` extra.
"""

from absl import flags as absl_flags

from ptn_semi.inference.paths import check_model
from ptn_semi.utils import cli
from ptn_semi.utils.errors import UserError

MODEL = absl_flags.DEFINE_string(
    "model", None, "Workdir of a trained run, or an exported SavedModel.", required=True
)
HOST = absl_flags.DEFINE_string("host", "127.0.0.1", "Address to listen on; 0.0.0.0 for any.")
PORT = absl_flags.DEFINE_integer("port", 7860, "Port to listen on.", 1, 65535)
MAX_UPLOAD_MB = absl_flags.DEFINE_integer("max_upload_mb", 10, "Largest image, in MB.", 1, 1000)


def main() -> None:
    """Parse flags and call the library."""
    cli.check_package("gradio", "the page needs gradio: pip install 'ptn_semi[demo]'")
    check_model(MODEL.value)
    with cli.loading():
        from ptn_semi.inference import images_to_shapes
        from ptn_semi.web import page
    reconstructor = images_to_shapes.load_model(MODEL.value)
    try:
        page.launch(reconstructor, HOST.value, PORT.value, MAX_UPLOAD_MB.value)
    except OSError as error:
        raise UserError(
            f"--port={PORT.value} cannot be listened on ({error}): give another"
        ) from error


if __name__ == "__main__":
    cli.run(main)
