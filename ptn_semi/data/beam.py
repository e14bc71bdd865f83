"""Options of builds on Apache Beam, which is an extra."""

from collections.abc import Sequence

import tensorflow_datasets as tfds

from ptn_semi.utils.errors import UserError


def configure(runner: str, options: Sequence[str]) -> tfds.download.DownloadConfig:
    """Return the TFDS configuration of a build on one of `settings.BEAM_RUNNERS`.

    Pipeline options are such as "direct_num_workers=2", or "streaming" without a value.

    Raises:
      UserError: if Beam is not installed, or it does not know an option.
    """
    try:
        from apache_beam.options import pipeline_options
    except ImportError as error:
        raise UserError(
            f"--runner={runner} needs Apache Beam ({error}): pip install -e '.[beam]'"
        ) from error
    flags = [f"--runner={runner.capitalize()}Runner", *(f"--{option}" for option in options)]
    try:
        parsed = pipeline_options.PipelineOptions(flags)
        known = parsed.get_all_options(drop_default=True)
    except (SystemExit, ValueError) as error:
        raise UserError(f"Apache Beam rejects --beam_options={','.join(options)}") from error
    unknown = [option for option in options if option.split("=")[0] not in known]
    if unknown:
        raise UserError(f"Apache Beam has no option {unknown[0]} (--beam_options)")
    return tfds.download.DownloadConfig(beam_options=parsed)
