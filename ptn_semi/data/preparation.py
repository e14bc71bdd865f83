"""Prepared data sets: found or built for `DataSettings`.

A prepared set lives in a folder whose name holds a digest of all it was built from, so that a set
of other shapes, or rendered otherwise, can never be taken for it.
"""

import contextlib
import errno
import hashlib
import io
import json
import pathlib
import shutil

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from google.protobuf import json_format

from ptn_semi.data import splits
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


def _config(settings):
    """The TFDS config of a `DataSettings`, its name made from what it is built from."""
    config = posed_masks.PosedMasksConfig(
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
    if settings.dataset == "procedural" or settings.manual_dir:
        built_from = posed_masks.describe(config, config.open_source().fingerprint())
        digest = hashlib.sha256(json.dumps(built_from, sort_keys=True).encode()).hexdigest()
        config.name = f"{settings.dataset}-{digest[:10]}"
    else:
        config.name = _find_prepared(config, settings.data_dir)
    return config


def _find_prepared(config, data_dir):
    """Name of the one prepared set that these settings describe, whatever files it is from."""
    asked = posed_masks.describe(config, config.describe_source())
    found = []
    folder = pathlib.Path(data_dir) / posed_masks.Builder.name
    version = posed_masks.Builder.VERSION
    for path in sorted(folder.glob(f"{config.layout}-*/{version}/metadata.json")):
        mend = f"delete {path.parent} and build the data set again"
        built_from = files.read_json(path, mend)["built_from"]
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


def name(settings):
    """Name of the prepared set of a `DataSettings`, whether it is there or not; see `prepare`."""
    return _config(settings).name


def categories(settings):
    """Categories that the shapes of a `DataSettings` are of, sorted.

    Raises:
      UserError: --manual_dir is needed and holds no shapes.
    """
    return sorted({item.category for item in _config(settings).open_source().items()})


def beam_config(runner, options):
    """TFDS' `DownloadConfig` for a build on Apache Beam.

    Args:
      runner: one of `settings.BEAM_RUNNERS`.
      options: of the pipeline, as "direct_num_workers=2"; without a value as "streaming".

    Raises:
      UserError: Beam is not installed, or knows no such option.
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
        raise UserError(f"Apache Beam does not take --beam_options={','.join(options)}") from error
    unknown = [option for option in options if option.split("=")[0] not in known]
    if unknown:
        raise UserError(f"Apache Beam has no option {unknown[0]} (--beam_options)")
    return tfds.download.DownloadConfig(beam_options=parsed)


def prepare(settings, on_beam=None):
    """The TFDS builder of the data set, which is built first where it is missing.

    Args:
      settings: a `DataSettings`.
      on_beam: from `beam_config`, to build on Apache Beam; None for this process. The same bytes.

    Raises:
      UserError: the shapes cannot be used, or the disk not be written.
    """
    config = _config(settings)
    builder = _builder(config, settings.data_dir)
    if builder.is_prepared():
        return builder
    data_dir = pathlib.Path(settings.data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with files.locked(data_dir / f".{config.name}.lock", _wait):
            # Another process may have built it meanwhile.
            builder = _builder(config, settings.data_dir)
            if not builder.is_prepared():
                _build(builder, on_beam)
    except (OSError, tf.errors.OpError, RuntimeError) as error:
        # TFDS wraps TensorFlow's errors in a RuntimeError.
        cause = error.__cause__ if isinstance(error.__cause__, tf.errors.OpError) else error
        if not isinstance(cause, (OSError, tf.errors.OpError)):
            raise
        full = getattr(cause, "errno", None) == errno.ENOSPC or "space" in str(cause)
        mend = "free some space there" if full else "make it writable"
        raise UserError(
            f"the data set could not be written to {settings.data_dir} ({cause}): {mend} or give "
            "another --data_dir"
        ) from error
    return builder


def _builder(config, data_dir):
    """The TFDS builder, which reads what is prepared of it."""
    try:
        builder = posed_masks.Builder(config=config, data_dir=data_dir)
        if builder.is_prepared() and "num_shapes" not in builder.info.metadata:
            raise ValueError("its metadata.json is not whole")
        return builder
    except (ValueError, json_format.ParseError) as error:
        folder = pathlib.Path(data_dir) / posed_masks.Builder.name / config.name
        raise splits.damaged(folder, error) from error


def _wait(process):
    print(f"waiting for process {process}, which builds the same data set")


def _build(builder, on_beam):
    """Builds a data set, whose lock is held."""
    folder = pathlib.Path(builder.data_dir).parent
    for left in folder.glob("incomplete.*"):  # by a build that was killed
        shutil.rmtree(left)
    bar = None

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
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS' own notes
            builder.download_and_prepare(download_config=on_beam)
        samples(builder)
    finally:
        if bar is not None:
            bar.close()
        with contextlib.suppress(OSError):  # what a failed build leaves is an empty folder
            folder.rmdir()


def samples(builder):
    """Path of the picture of samples, beside the data set; drawn if it is not there.

    (A build may have been killed before it was.)

    Raises:
      UserError: it cannot be written.
    """
    path = pathlib.Path(builder.data_dir).parent / "samples.png"
    if not path.exists():
        sheets.save_png(path, _samples(builder))
    return path


def _samples(builder, count=10):
    """Shapes spread evenly over the categories, each with its first masks."""
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


def summary(builder):
    """A text table of the shapes per category and split, and what was left out."""
    counts = builder.info.metadata["num_shapes"]
    splits = list(posed_masks.SPLITS)
    lines = [f"{'category':16}" + "".join(f"{split:>12}" for split in splits)]
    for category, row in counts.items():
        lines.append(f"{category:16}" + "".join(f"{row.get(split, 0):>12}" for split in splits))
    left_out = builder.info.metadata.get("left_out") or []
    if left_out:
        lines += [f"{len(left_out)} files were left out:", *(f"  {text}" for text in left_out)]
    return "\n".join(lines)
