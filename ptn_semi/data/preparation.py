"""Preparation of data sets: finds the prepared set of some `DataSettings`, or builds it."""

import contextlib
import io
import pathlib
import shutil
from collections.abc import Callable, Iterator

import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from google.protobuf import json_format

from ptn_semi.data import configs, overviews, splits
from ptn_semi.settings import DataSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


def prepare(
    settings: DataSettings, on_beam: tfds.download.DownloadConfig | None = None
) -> posed_masks.Builder:
    """Return the TFDS builder of a data set; build the data set first if it is missing.

    With a configuration from `beam.configure` it builds on Apache Beam, and else in this process.
    Both write the same bytes.

    Raises:
      UserError: if the shapes cannot be used, or the disk cannot be written.
    """
    config = configs.named_config(settings)
    builder = _open(config, settings.data_dir)
    if builder.is_prepared():
        return builder
    data_dir = pathlib.Path(settings.data_dir)

    def say_who_builds(process: str) -> None:
        print(f"waiting for process {process}, which is building the same data set")

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with files.locked(data_dir / f".{config.name}.lock", say_who_builds):
            # Another process may have built it in the meantime.
            builder = _open(config, settings.data_dir)
            if not builder.is_prepared():
                _build(builder, on_beam)
    except (OSError, tf.errors.OpError, RuntimeError) as error:
        # TFDS wraps TensorFlow's errors in a RuntimeError.
        cause = error.__cause__ if isinstance(error, RuntimeError) else error
        if not isinstance(cause, (OSError, tf.errors.OpError)):
            raise
        raise UserError(
            f"the data set could not be written to {settings.data_dir} ({cause}): free some space "
            "there, make it writable or give another --data_dir"
        ) from error
    return builder


def _open(config: posed_masks.PosedMasksConfig, data_dir: str) -> posed_masks.Builder:
    """Create the TFDS builder, which reads the prepared set if there is one."""
    try:
        builder = posed_masks.Builder(config=config, data_dir=data_dir)
        if builder.is_prepared() and "num_shapes" not in builder.info.metadata:
            raise ValueError("its metadata.json is incomplete")
        return builder
    except (ValueError, json_format.ParseError) as error:
        folder = pathlib.Path(data_dir) / posed_masks.Builder.name / config.name
        raise splits.damaged(folder, error) from error


def _build(builder: posed_masks.Builder, on_beam: tfds.download.DownloadConfig | None) -> None:
    """Build a data set. The caller holds its lock."""
    folder = pathlib.Path(builder.data_dir).parent
    for left in folder.glob("incomplete.*"):  # left by builds that were killed
        shutil.rmtree(left)
    tfds.disable_progress_bar()
    try:
        with _progress_bars() as show, contextlib.redirect_stdout(io.StringIO()):
            builder.on_progress, builder.on_beam = show, on_beam is not None
            builder.download_and_prepare(download_config=on_beam)
            overviews.draw_samples(builder)
        if builder.note:
            print(builder.note)
    finally:
        with contextlib.suppress(OSError):  # a failed build leaves an empty folder
            folder.rmdir()


@contextlib.contextmanager
def _progress_bars() -> Iterator[Callable[[int, int, str], None]]:
    """Yield a function that shows (done, total, what) as a bar, one for each `what` in turn."""
    bars: dict[str, tqdm.tqdm] = {}
    with contextlib.ExitStack() as last:

        def show(done: int, total: int, what: str) -> None:
            if what not in bars:
                last.close()
                bars[what] = last.enter_context(tqdm.tqdm(total=total, desc=what, unit=" shapes"))
            bars[what].update(done - bars[what].n)

        yield show
