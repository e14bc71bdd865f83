"""Builds a data set: `python -m ptn_semi.build_data --dataset=meshes --manual_dir=my_shapes`.

Reads and checks every shape, renders its masks, and ends with the number of shapes per category and
split. A data set that is there already, built from the same files with the same settings, is kept.
`ptn_semi.train` and `ptn_semi.evaluate` build what they miss by the same code.
"""

from ptn_semi import cli, data_sets, flags, settings

flags.define(settings.DataSettings)


def main():
    """Parses flags and calls the library."""
    builder = data_sets.prepare(flags.collect(settings.DataSettings))
    print(data_sets.summary(builder))
    print(f"data set: {builder.data_dir}\nsamples:  {data_sets.samples_path(builder)}")


if __name__ == "__main__":
    cli.run(main)
