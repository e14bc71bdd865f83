"""Preparation of data sets: finds the prepared set of some `DataSettings`, or builds it.

The name of a prepared set's folder holds a digest of everything that it was built from. A set of
other shapes, or one that was rendered differently, can therefore never be mistaken for it.
"""

import contextlib
import errno
import hashlib
import io
import json
import pathlib
import shutil
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from google.protobuf import json_format

from ptn_semi.data import splits
from ptn_semi.settings import DataSettings, ShapeSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


def rendering_config(settings: ShapeSettings) -> posed_masks.PosedMasksConfig:
    """Return the TFDS config that shapes are rendered by, named after their layout."""
    return posed_masks.PosedMasksConfig(
        name=settings.dataset,
        layout=settings.dataset,
        source_options=settings.source_options,
        voxel_size=settings.voxel_size,
        image_size=settings.image_size,
        num_views=settings.num_views,
        seed=settings.data_seed,
        elevation_range=settings.elevation_range,
        azimuth_range=settings.azimuth_range,
        camera=settings.camera,
        manual_dir=settings.manual_dir,
        skip_invalid=settings.skip_invalid,
    )


def _config(settings: DataSettings) -> posed_masks.PosedMasksConfig:
    """Return the TFDS config of a data set, named after what the data set is built from."""
    config = rendering_config(settings)
    if settings.dataset == "procedural" or settings.manual_dir:
        built_from = posed_masks.describe(config, config.open_source().fingerprint())
        digest = hashlib.sha256(json.dumps(built_from, sort_keys=True).encode()).hexdigest()
        config.name = f"{settings.dataset}-{digest[:10]}"
    else:
        config.name = _find_prepared(config, settings.data_dir)
    return config


def _find_prepared(config: posed_masks.PosedMasksConfig, data_dir: str) -> str:
    """Return the name of the one prepared set with these settings, whatever files it is from."""
    asked = posed_masks.describe(config, config.describe_source())
    found = []
    folder = pathlib.Path(data_dir) / posed_masks.Builder.name
    version = posed_masks.Builder.VERSION
    for path in sorted(folder.glob(f"{config.layout}-*/{version}/metadata.json")):
        fix = f"delete {path.parent} and build the data set again"
        built_from = files.read_json(path, fix)["built_from"]
        source = {name: built_from["source"].get(name) for name in asked["source"]}
        if built_from | {"source": source} == asked:
            found.append(path.parts[-3])
    if len(found) != 1:
        what = f"{len(found)} prepared sets" if found else "no prepared set"
        raise UserError(
            f"--data_dir={data_dir} holds {what} of --dataset={config.layout} with these settings: "
            "say with --manual_dir where the shapes are"
        )
    return found[0]


def name(settings: DataSettings) -> str:
    """Return the name of a prepared data set, whether or not it exists yet.

    Args:
      settings: settings of the data set.

    Raises:
      UserError: the shapes cannot be found, or --manual_dir is needed to tell prepared sets apart.
    """
    return _config(settings).name


def categories(settings: DataSettings) -> list[str]:
    """Return the sorted categories of the shapes that a data set is built from.

    Args:
      settings: settings of the data set.

    Raises:
      UserError: --manual_dir is needed and holds no shapes.
    """
    return sorted({item.category for item in _config(settings).open_source().items()})


def beam_config(runner: str, options: Sequence[str]) -> tfds.download.DownloadConfig:
    """Return the TFDS configuration of a build on Apache Beam.

    Args:
      runner: one of `settings.BEAM_RUNNERS`.
      options: pipeline options, such as "direct_num_workers=2", or "streaming" without a value.

    Raises:
      UserError: Beam is not installed, or it does not know an option.
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


def prepare(
    settings: DataSettings, on_beam: tfds.download.DownloadConfig | None = None
) -> posed_masks.Builder:
    """Return the TFDS builder of a data set; build the data set first if it is missing.

    Args:
      settings: settings of the data set.
      on_beam: configuration from `beam_config` to build on Apache Beam; None to build in this
        process. Both write the same bytes.

    Returns:
      A builder that is prepared.

    Raises:
      UserError: the shapes cannot be used, or the disk cannot be written.
    """
    config = _config(settings)
    builder = _builder(config, settings.data_dir)
    if builder.is_prepared():
        return builder
    data_dir = pathlib.Path(settings.data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with files.locked(data_dir / f".{config.name}.lock", _wait):
            # Another process may have built it in the meantime.
            builder = _builder(config, settings.data_dir)
            if not builder.is_prepared():
                _build(builder, on_beam)
    except (OSError, tf.errors.OpError, RuntimeError) as error:
        # TFDS wraps TensorFlow's errors in a RuntimeError.
        cause = error.__cause__ if isinstance(error.__cause__, tf.errors.OpError) else error
        if not isinstance(cause, (OSError, tf.errors.OpError)):
            raise
        full = getattr(cause, "errno", None) == errno.ENOSPC or "space" in str(cause)
        fix = "free some space there" if full else "make it writable"
        raise UserError(
            f"the data set could not be written to {settings.data_dir} ({cause}): {fix} or give "
            "another --data_dir"
        ) from error
    return builder


def _builder(config: posed_masks.PosedMasksConfig, data_dir: str) -> posed_masks.Builder:
    """Create the TFDS builder, which reads the prepared set if there is one."""
    try:
        builder = posed_masks.Builder(config=config, data_dir=data_dir)
        if builder.is_prepared() and "num_shapes" not in builder.info.metadata:
            raise ValueError("its metadata.json is incomplete")
        return builder
    except (ValueError, json_format.ParseError) as error:
        folder = pathlib.Path(data_dir) / posed_masks.Builder.name / config.name
        raise splits.damaged(folder, error) from error


def _wait(process: str) -> None:
    print(f"waiting for process {process}, which is building the same data set")


def _build(builder: posed_masks.Builder, on_beam: tfds.download.DownloadConfig | None) -> None:
    """Build a data set. The caller holds its lock."""
    folder = pathlib.Path(builder.data_dir).parent
    for left in folder.glob("incomplete.*"):  # Left by builds that were killed.
        shutil.rmtree(left)
    bar: tqdm.tqdm | None = None

    def on_progress(done, total, what):
        nonlocal bar
        if bar is None or what not in bar.desc:
            if bar is not None:
                bar.close()
            bar = tqdm.tqdm(total=total, desc=what, unit=" shapes")
        bar.update(done - bar.n)

    tfds.disable_progress_bar()
    builder.on_progress, builder.on_beam = on_progress, on_beam is not None
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Hides TFDS' own messages.
            builder.download_and_prepare(download_config=on_beam)
        samples(builder)
    finally:
        if bar is not None:
            bar.close()
        with contextlib.suppress(OSError):  # A failed build leaves an empty folder.
            folder.rmdir()


def samples(builder: posed_masks.Builder) -> pathlib.Path:
    """Return the path of the picture of samples that lies beside the data set.

    The picture is drawn if it is missing, as after a build that was killed before drawing it.

    Args:
      builder: a prepared builder.

    Raises:
      UserError: the picture cannot be written.
    """
    path = pathlib.Path(builder.data_dir).parent / "samples.png"
    if not path.exists():
        sheets.save_png(path, _samples(builder))
    return path


def _samples(builder: posed_masks.Builder, count: int = 10) -> np.ndarray:
    """Draw shapes spread evenly over the categories, each with its first masks."""
    # A small set may have no training shapes.
    split = next(split for split in posed_masks.SPLITS if split in builder.info.splits)
    shapes = splits.load(builder, split, with_voxels=True)
    order = np.argsort(shapes.categories, kind="stable")
    index = order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)]
    views = min(4, shapes.masks.shape[1])
    rows = []
    for shape in index:
        voxels = shapes.unpack_voxels(shape)
        row = [shading.shade_voxels(voxels, viewpoint, 128) for viewpoint in shading.VIEWPOINTS]
        rows.append(
            row + [sheets.mask_picture(m) for m in shapes.unpack_masks(shape, range(views))]
        )
    titles = [f"shape at azimuth {azimuth}°" for _, azimuth in shading.VIEWPOINTS]
    titles += [f"mask {i + 1}" for i in range(views)]
    return sheets.grid(rows, titles, list(shapes.categories[index]))


def summary(builder: posed_masks.Builder) -> str:
    """Return a text table of the shapes per category and split, and a list of files left out."""
    counts = builder.info.metadata["num_shapes"]
    splits = list(posed_masks.SPLITS)
    lines = [f"{'category':16}" + "".join(f"{split:>12}" for split in splits)]
    for category, row in counts.items():
        lines.append(f"{category:16}" + "".join(f"{row.get(split, 0):>12}" for split in splits))
    left_out = builder.info.metadata.get("left_out") or []
    if left_out:
        lines += [f"{len(left_out)} files were left out:", *(f"  {text}" for text in left_out)]
    return "\n".join(lines)
