"""Put a trained model into the package as float16 weights, so that `load_model()` finds it.

    python tools/ship_model.py --workdir=runs/pretrained

`ptn_semi/pretrained/README.md` says how the present model was trained and scored.
"""

import dataclasses

from absl import flags as absl_flags

from ptn_semi.utils import cli, flags

with cli.loading():
    from ptn_semi.models import checkpoints, pretrained
    from shapenet_posed_masks.procedural import CATEGORIES

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the trained run.")
    flags.keep_local("workdir")
    flags.require("workdir", "FOLDER")


def main() -> None:
    """Parse flags and write the model."""
    checkpoint = checkpoints.find(FLAGS.workdir)
    # Primitives are no kind of object that users would ask for.
    categories = tuple(name for name in checkpoint.info.categories if name in CATEGORIES)
    info = dataclasses.replace(checkpoint.info, categories=categories)
    folder = pretrained.FOLDERS[info.settings.voxel_size]
    pretrained.write(checkpoints.load_networks(checkpoint), info, folder)
    print(f"wrote the model of step {checkpoint.info.step} to {folder}")


if __name__ == "__main__":
    cli.run(main, define_flags)
