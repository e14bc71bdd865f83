"""Splits of a prepared data set, read into memory.

Masks and voxels stay packed, 8 to a byte, until they are needed.
"""

import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm

from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError, first_line
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks

Index = int | slice | Sequence[int] | np.ndarray


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Shapes of a split in memory, sorted by model id.

    Attributes:
      model_ids: str [shapes].
      categories: str [shapes].
      viewpoints: elevation and azimuth in degrees, float32 [shapes, views, 2].
      masks: packed masks, uint8 [shapes, views, ceil(S²/8)]; an `np.memmap` if they stay on disk.
      voxels: packed voxels, uint8 [shapes, ceil(N³/8)], or None if they were not loaded.
      image_size: S, the side of a mask in pixels.
      voxel_size: N, the side of the grid in voxels.
    """

    model_ids: np.ndarray
    categories: np.ndarray
    viewpoints: np.ndarray
    masks: np.ndarray
    voxels: np.ndarray | None
    image_size: int
    voxel_size: int

    def __len__(self) -> int:
        return len(self.model_ids)

    def spread(self, count: int) -> np.ndarray:
        """Return indices of at most `count` shapes, spread evenly so that none is hand-picked."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)

    def unpack_masks(self, shapes: Index, views: Index) -> np.ndarray:
        """Unpack masks, float32 [..., S, S, 1], given indices that broadcast to [...]."""
        bits = np.unpackbits(self.masks[shapes, views], axis=-1, count=self.image_size**2)
        return bits.reshape(*bits.shape[:-1], *(self.image_size,) * 2, 1).astype(np.float32)

    def unpack_voxels(self, shapes: Index) -> np.ndarray:
        """Unpack the voxels, bool [..., N, N, N], of shapes with these indices [...]."""
        assert self.voxels is not None, "load the split with_voxels"
        bits = np.unpackbits(self.voxels[shapes], axis=-1, count=self.voxel_size**3)
        return bits.reshape(*bits.shape[:-1], *(self.voxel_size,) * 3).astype(bool)


def damaged(folder: str | os.PathLike, error: Exception) -> UserError:
    """Return the error to raise for a prepared data set in which reading raised another error."""
    return UserError(
        f"the data set in {folder} is damaged ({first_line(error)}): delete that folder and build "
        "it again"
    )


def load(
    builder: posed_masks.Builder,
    split: str,
    with_voxels: bool = False,
    max_memory: float = math.inf,
) -> Shapes:
    """Read a split into memory.

    Args:
      builder: a prepared builder, from `preparation.prepare`.
      split: any TFDS split expression, such as "test" or "train[:10%]".
      with_voxels: also load the voxels, which training does not need.
      max_memory: most bytes of masks to keep in memory. Larger splits keep their masks on disk, in
        a file in the data set's folder that the first run writes.

    Raises:
      UserError: if the split does not exist or has no shapes, or files cannot be read or written.
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
        model_ids=np.array([text.decode() for text in columns["model_id"]]),
        categories=np.array([text.decode() for text in columns["category"]]),
        viewpoints=columns["viewpoints"],
        masks=columns["masks"] if masks is None else masks,
        voxels=columns.get("voxels"),
        image_size=config.image_size,
        voxel_size=config.voxel_size,
    )


def _examples(
    builder: posed_masks.Builder, split: str, fields: Iterable[str]
) -> Iterator[dict[str, np.ndarray]]:
    """Decode these fields of a split in the files' order, with masks and voxels packed."""
    decoders = tfds.decode.PartialDecoding(dict.fromkeys(fields, True))
    data = builder.as_dataset(split=split, decoders=decoders)
    for example in data.as_numpy_iterator():
        for name, kept in (("masks", 1), ("voxels", 0)):
            if name in example:
                bits = example[name].reshape(*example[name].shape[:kept], -1)
                example[name] = np.packbits(bits, axis=-1)
        yield example


def _masks_on_disk(builder: posed_masks.Builder, split: str, order: Sequence[int]) -> np.ndarray:
    """Return the packed masks of a split's examples in this order, as an `np.memmap`."""
    name = re.sub(r"\W+", "_", split)
    path = pathlib.Path(builder.data_dir) / f"masks_{name}.npy"
    config = builder.builder_config
    shape = len(order), config.num_views, math.ceil(config.image_size**2 / 8)
    if not path.exists():
        with files.replacing(path) as partial:
            examples = _examples(builder, split, ["masks"])
            bar = tqdm.tqdm(examples, total=len(order), desc="laying out masks", unit=" shapes")
            # A full disk would kill a process that writes into a memory map, so it writes a file.
            with open(partial, "wb") as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                first = file.tell()
                for place, example in zip(np.argsort(order), bar, strict=True):
                    file.seek(first + place * example["masks"].nbytes)
                    file.write(example["masks"].tobytes())
    try:
        masks = np.load(path, mmap_mode="r")  # Does not unpickle objects.
    except (ValueError, EOFError, OSError):
        masks = None
    if masks is None or masks.shape != shape or masks.dtype != np.uint8:
        raise UserError(f"{path} is damaged: delete it, and the next run writes it again")
    return masks


def check_categories(
    builder: posed_masks.Builder, split: str, shapes: Shapes, needed: Iterable[str]
) -> None:
    """Check that the shapes of a split are of every category that is needed.

    Raises:
      UserError: if a category has none.
    """
    missing = sorted(set(needed) - set(shapes.categories))
    if missing:
        raise UserError(
            f"category {missing[0]} has no shapes in the split {split} of {builder.data_dir}: "
            "add shapes to it, or leave it out with --categories"
        )
