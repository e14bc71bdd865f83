"""Prepared data sets: found or built for `DataSettings`, and read into memory.

A prepared set lives in a folder whose name holds a digest of all it was built from, so that a set
of other shapes, or rendered otherwise, can never be taken for it.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import math
import os
import pathlib
import re
import shutil

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from google.protobuf import json_format

from ptn_semi.utils import files, reading
from ptn_semi.utils.errors import UserError, first_line
from ptn_semi.visual import pictures
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
        built_from = reading.read_json(path, mend)["built_from"]
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
        raise _damaged(folder, error) from error


def _damaged(folder, error):
    return UserError(
        f"the data set in {folder} is damaged ({first_line(error)}): delete that folder and build "
        "it again"
    )


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
        pictures.save_png(path, _samples(builder))
    return path


def _samples(builder, count=10):
    """Shapes spread evenly over the categories, each with its first masks."""
    # A small set may have no training shapes.
    split = next(split for split in posed_masks.SPLITS if split in builder.info.splits)
    shapes = load(builder, split, with_voxels=True)
    order = np.argsort(shapes.categories, kind="stable")
    index = order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)]
    views = min(4, shapes.masks.shape[1])
    rows = []
    for shape in index:
        voxels = shapes.unpack_voxels(shape)
        row = [pictures.shade_voxels(voxels, viewpoint, 128) for viewpoint in pictures.VIEWPOINTS]
        rows.append(
            row + [pictures.mask_picture(m) for m in shapes.unpack_masks(shape, range(views))]
        )
    titles = [f"shape at azimuth {azimuth}°" for _, azimuth in pictures.VIEWPOINTS]
    titles += [f"mask {i + 1}" for i in range(views)]
    return pictures.grid(rows, titles, list(shapes.categories[index]))


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


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Shapes of a split in memory, sorted by model id; masks and voxels are packed 8 to a byte.

    Attributes:
      model_ids, categories: str [shapes].
      viewpoints: float32 [shapes, views, 2] in degrees.
      masks: uint8 [shapes, views, ceil(S²/8)]; a `np.memmap` where they stay on disk.
      voxels: uint8 [shapes, ceil(N³/8)], or None where they were not asked for.
      image_size, voxel_size: S and N.
    """

    model_ids: np.ndarray
    categories: np.ndarray
    viewpoints: np.ndarray
    masks: np.ndarray
    voxels: np.ndarray | None
    image_size: int
    voxel_size: int

    def __len__(self):
        return len(self.model_ids)

    def unpack_masks(self, shapes, views):
        """float32 [..., S, S, 1] of index arrays that broadcast to [...]."""
        bits = np.unpackbits(self.masks[shapes, views], axis=-1, count=self.image_size**2)
        return bits.reshape(*bits.shape[:-1], *(self.image_size,) * 2, 1).astype(np.float32)

    def unpack_voxels(self, shapes):
        """bool [..., N, N, N] of an index array [...]."""
        bits = np.unpackbits(self.voxels[shapes], axis=-1, count=self.voxel_size**3)
        return bits.reshape(*bits.shape[:-1], *(self.voxel_size,) * 3).astype(bool)


def load(builder, split, with_voxels=False, max_memory=math.inf):
    """Reads a split into memory as `Shapes`.

    Args:
      builder: from `prepare`.
      split: any TFDS split expression, as "test" or "train[:10%]".
      with_voxels: also the voxels; training has no need of them.
      max_memory: bytes of masks to keep in memory. More stay on disk, in a file in the data set's
        folder that the first run writes.

    Raises:
      UserError: no such split, no shapes in it, or files that cannot be read or written.
    """
    config = builder.builder_config
    if split in posed_masks.SPLITS and split not in builder.info.splits:
        raise UserError(f"{builder.data_dir} has no shapes in its split {split}: add some")
    fields = ["model_id", "category", "viewpoints"] + (["voxels"] if with_voxels else [])
    try:
        count = builder.info.splits[split].num_examples
        on_disk = count * config.num_views * math.ceil(config.image_size**2 / 8) > max_memory
        examples = list(_examples(builder, split, fields if on_disk else [*fields, "masks"]))
        order = sorted(range(len(examples)), key=lambda i: examples[i]["model_id"])
        masks = _masks_on_disk(builder, split, order) if on_disk else None
    except (ValueError, AssertionError, KeyError) as error:
        there = ", ".join(
            f"{name} ({info.num_examples})" for name, info in builder.info.splits.items()
        )
        raise UserError(f"--split={split} is not one of this data set's splits: {there}") from error
    except tf.errors.OpError as error:
        raise _damaged(builder.data_dir, error) from error
    if not examples:
        raise UserError(f"--split={split} of {builder.data_dir} holds no shapes: take more of it")
    examples = [examples[i] for i in order]
    columns = {name: np.stack([example[name] for example in examples]) for name in examples[0]}
    return Shapes(
        model_ids=columns["model_id"].astype(str),
        categories=columns["category"].astype(str),
        viewpoints=columns["viewpoints"],
        masks=masks if on_disk else columns["masks"],
        voxels=columns.get("voxels"),
        image_size=config.image_size,
        voxel_size=config.voxel_size,
    )


def _examples(builder, split, fields):
    """Iterates over the examples of a split, in the files' order, with these fields only."""
    decoders = tfds.decode.PartialDecoding(dict.fromkeys(fields, True))
    data = builder.as_dataset(split=split, decoders=decoders)
    return data.map(_packed, num_parallel_calls=4).as_numpy_iterator()


def _masks_on_disk(builder, split, order):
    """The packed masks of a split's examples in this order, as a `np.memmap`."""
    name = re.sub(r"\W+", "_", split)
    path = pathlib.Path(builder.data_dir) / f"masks_{name}.npy"
    if not path.exists():
        rank = np.argsort(order)
        with files.replacing(path) as partial:
            target = None
            examples = _examples(builder, split, ["masks"])
            bar = tqdm.tqdm(examples, total=len(rank), desc="laying out masks", unit=" shapes")
            for place, example in zip(rank, bar, strict=True):
                if target is None:
                    shape = (len(rank), *example["masks"].shape)
                    target = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
                    with open(partial, "r+b") as file:  # a full disk is an error now, not a crash
                        os.posix_fallocate(file.fileno(), 0, partial.stat().st_size)
                target[place] = example["masks"]
            target.flush()
    try:
        masks = np.load(path, mmap_mode="r")  # which makes no objects of what is in there
    except (ValueError, EOFError, OSError):
        masks = None
    config = builder.builder_config
    expected = len(order), config.num_views, math.ceil(config.image_size**2 / 8)
    if masks is None or masks.shape != expected or masks.dtype != np.uint8:
        raise UserError(f"{path} is damaged: delete it, and it is written again")
    return masks


def _packed(example):
    """An example with its bool tensors packed as `np.packbits` does."""
    example = dict(example)
    if "masks" in example:
        views = tf.shape(example["masks"])[0]
        example["masks"] = _pack_bits(tf.reshape(example["masks"], [views, -1]))
    if "voxels" in example:
        example["voxels"] = _pack_bits(tf.reshape(example["voxels"], [-1]))
    return example


def _pack_bits(bits):
    """uint8 [..., ceil(n/8)] of bool [..., n]."""
    padding = [[0, 0]] * (bits.shape.rank - 1) + [[0, -bits.shape[-1] % 8]]
    bits = tf.cast(tf.pad(bits, padding), tf.int32)
    shape = tf.concat([tf.shape(bits)[:-1], [-1, 8]], axis=0)
    places = tf.constant([128, 64, 32, 16, 8, 4, 2, 1])
    return tf.cast(tf.reduce_sum(tf.reshape(bits, shape) * places, axis=-1), tf.uint8)


def check_categories(builder, shapes_by_split, complete=None):
    """Raises a `UserError` where a category of the data set has no shapes in one of the splits.

    Args:
      builder: from `prepare`.
      shapes_by_split: the `Shapes` of some splits.
      complete: splits that need every category; None for all that are given.
    """
    present = {split: set(shapes.categories) for split, shapes in shapes_by_split.items()}
    for split in complete or present:
        missing = sorted(set().union(*present.values()) - present[split])
        if missing:
            raise UserError(
                f"category {missing[0]} has no shapes in the split {split} of {builder.data_dir}: "
                "add shapes to it, or leave it out with --categories"
            )
