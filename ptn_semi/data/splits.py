"""Splits of a prepared data set, read into memory.

Masks and voxels stay packed, 8 to a byte, until they are needed.
"""

import dataclasses
import math
import os
import pathlib
import re

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError, first_line
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


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


def damaged(folder, error):
    """A `UserError` for a data set that cannot be read."""
    return UserError(
        f"the data set in {folder} is damaged ({first_line(error)}): delete that folder and build "
        "it again"
    )


def load(builder, split, with_voxels=False, max_memory=math.inf):
    """Reads a split into memory as `Shapes`.

    Args:
      builder: from `preparation.prepare`.
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
        raise damaged(builder.data_dir, error) from error
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
      builder: from `preparation.prepare`.
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
