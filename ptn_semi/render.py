"""Renders shapes to masks: `python -m ptn_semi.render my_shapes --output_dir=masks`.

Takes a mesh file, a folder of mesh files, or a folder with one subfolder per category; with
--dataset=voxels it takes voxel files instead. For each shape it writes a picture, and the masks,
voxels and viewpoints that a data set would hold, to be compared with those of other software.
"""

import os

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.data.checks import find_shapes
from ptn_semi.utils import cli, files, flags
from ptn_semi.utils.errors import UserError

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("output_dir", "renders", "Folder to write to.")
    flags.define(settings.ShapeSettings)
    FLAGS.set_default("dataset", "meshes")
    flags.keep_local("output_dir")


def main(paths: list[str]) -> None:
    """Parse flags and call the library."""
    shapes = flags.collect(settings.ShapeSettings)
    if len(paths) > 1:
        raise UserError(f"{len(paths)} paths were given: give one file or one folder")
    source, items = find_shapes(shapes, *paths)
    files.check_folder(FLAGS.output_dir, f"--output_dir={FLAGS.output_dir}")
    with cli.loading():
        import tqdm

        from ptn_semi.data import renders
    if not any(map(os.path.isfile, paths)) and (note := source.note()):
        print(note)
    left_out = []
    written = renders.write(shapes, source, items, FLAGS.output_dir)
    for _, result in tqdm.tqdm(written, "rendering", len(items), unit=" shapes"):
        if isinstance(result, UserError):
            if not shapes.skip_invalid:
                raise UserError(f"{result} (--skip_invalid leaves such files out)")
            left_out.append(result)
    print(f"written to {FLAGS.output_dir}: {len(items) - len(left_out)} of {len(items)} shapes")
    if left_out:
        print(f"{len(left_out)} files were left out:", *left_out, sep="\n  ")


if __name__ == "__main__":
    cli.run(main, define_flags, takes_arguments=True)
