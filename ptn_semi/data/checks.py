"""Checks of a data set that run before TensorFlow is loaded, which takes seconds.

The builder's package is imported where it is used, because it loads TFDS, which takes a second.
"""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

from ptn_semi.settings import DataSettings, ShapeSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

if TYPE_CHECKING:
    from shapenet_posed_masks.sources.base import Item, Source


def check_shapes(data: DataSettings) -> None:
    """Check that the shapes of a data set can be found, without looking into any file.

    Raises:
      UserError: if --manual_dir is missing or wrong, --data_dir is a file, or a procedural category
        or an axis is unknown.
    """
    from shapenet_posed_masks.sources import layouts

    files.check_folder(data.data_dir, f"--data_dir={data.data_dir}")
    files.check_encoding(data.data_dir, f"--data_dir={data.data_dir}")
    prepared = pathlib.Path(data.data_dir).glob(f"*/{data.dataset}-*")
    if data.dataset != "procedural" and not data.manual_dir and any(prepared):
        return  # One of these may be the data set, and then the files of shapes are not needed.
    layouts.open_source(
        data.dataset, data.manual_dir, voxel_size=data.voxel_size, **data.source_options
    )


def check_images(folder: str | os.PathLike) -> None:
    """Check that the folder of unlabeled images is there.

    Raises:
      UserError: if it is not.
    """
    if not os.path.isdir(folder):
        raise UserError(
            f"--unlabeled_dir={folder} is not a folder: give a folder of images or masks"
        )


def find_shapes(shapes: ShapeSettings, path: str = "") -> tuple[Source, list[Item]]:
    """List the shapes of `shapes.manual_dir`, or of a file or folder, without reading them.

    Raises:
      UserError: if there are none, or two places are given.
    """
    from shapenet_posed_masks.sources import layouts

    if path and (shapes.manual_dir or shapes.dataset == "procedural"):
        place = "--manual_dir" if shapes.manual_dir else "--dataset=procedural"
        raise UserError(f"{path} and {place} are given: leave one of them out")
    options = shapes.source_options | {"voxel_size": shapes.voxel_size}
    if path:
        return layouts.open_path(shapes.dataset, path, **options)
    source = layouts.open_source(shapes.dataset, shapes.manual_dir, **options)
    return source, source.items()
