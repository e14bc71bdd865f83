"""Builds a data set: `python -m ptn_semi.build_data --dataset=meshes --manual_dir=my_shapes`.

Reads and checks every shape, renders its masks, and prints the number of shapes per category and
split. A data set that was built from the same files with the same settings is kept.
`ptn_semi.train` and `ptn_semi.evaluate` build a data set that is missing in the same way.

--runner builds on Apache Beam instead, in several processes or on several machines. The data set
has the same bytes.
"""

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.data.checks import check_shapes
from ptn_semi.utils import cli, flags

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_enum(
        "runner", None, settings.BEAM_RUNNERS, "Build on Apache Beam, with this runner."
    )
    absl_flags.DEFINE_list(
        "beam_options", [], "Beam's options, separated by commas, such as direct_num_workers=2."
    )
    flags.define(settings.DataSettings)


def main() -> None:
    """Parse flags and call the library."""
    data = flags.collect(settings.DataSettings)
    check_shapes(data)
    with cli.loading():
        from ptn_semi.data import beam, overviews, preparation
    on_beam = beam.configure(FLAGS.runner, FLAGS.beam_options) if FLAGS.runner else None
    builder = preparation.prepare(data, on_beam)
    print(overviews.summarize(builder))
    print(f"data set: {builder.data_dir}\nsamples:  {overviews.draw_samples(builder)}")


if __name__ == "__main__":
    cli.run(main, define_flags)
