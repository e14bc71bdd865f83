"""Put a trained model into the package as float16 weights, so that `load_model()` finds it.

    python tools/ship_model.py --workdir=runs/pretrained

`ptn_semi/pretrained/README.md` says how the present model was trained and scored.
"""

from absl import flags as absl_flags

from ptn_semi.utils import cli, flags

with cli.loading():
    from ptn_semi.models import checkpoints, pretrained

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the trained run.")
    absl_flags.DEFINE_string("output_dir", str(pretrained.FOLDER), "Folder for the model.")
    flags.keep_local("workdir", "output_dir")
    flags.require("workdir", "FOLDER")


def main() -> None:
    """Parse flags and write the model."""
    checkpoint = checkpoints.find(FLAGS.workdir)
    pretrained.write(checkpoints.load_networks(checkpoint), checkpoint.info, FLAGS.output_dir)
    print(f"wrote the model of step {checkpoint.info.step} to {FLAGS.output_dir}")


if __name__ == "__main__":
    cli.run(main, define_flags)
