"""Builds a data set: `python -m ptn_semi.build_data --dataset=meshes --manual_dir=my_shapes`.

Reads and checks every shape, renders its masks, and ends with the number of shapes per category and
split. A data set that is there already, built from the same files with the same settings, is kept.
`ptn_semi.train` and `ptn_semi.evaluate` build what they miss by the same code.

--runner builds on Apache Beam instead, on several processes or machines, to the same bytes.
"""

from absl import flags as absl_flags

from ptn_semi import preflight, settings
from ptn_semi.utils import cli, flags

RUNNER = absl_flags.DEFINE_enum(
    "runner", None, settings.BEAM_RUNNERS, "Build on Apache Beam, with this runner."
)
BEAM_OPTIONS = absl_flags.DEFINE_list(
    "beam_options", [], "Beam's options, separated by commas, as direct_num_workers=2."
)
flags.define(settings.DataSettings)


def main():
    """Parses flags and calls the library."""
    data = flags.collect(settings.DataSettings)
    preflight.check_shapes(data)
    with cli.loading():
        from ptn_semi import data_sets
    on_beam = data_sets.beam_config(RUNNER.value, BEAM_OPTIONS.value) if RUNNER.value else None
    builder = data_sets.prepare(data, on_beam)
    print(data_sets.summary(builder))
    print(f"data set: {builder.data_dir}\nsamples:  {data_sets.samples(builder)}")


if __name__ == "__main__":
    cli.run(main)
