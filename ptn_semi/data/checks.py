"""Checks of a data set that run before TensorFlow is loaded, which takes seconds."""

import pathlib

from ptn_semi.settings import DataSettings
from shapenet_posed_masks.sources import layouts


def check_shapes(data: DataSettings) -> None:
    """Check that the shapes of a data set can be found, without looking into any file.

    Args:
      data: settings of the data set.

    Raises:
      UserError: --manual_dir is missing or wrong, or a procedural category or an axis is unknown.
    """
    prepared = pathlib.Path(data.data_dir).glob(f"*/{data.dataset}-*")
    if data.dataset != "procedural" and not data.manual_dir and any(prepared):
        return  # One of these may be the data set, and then the files of shapes are not needed.
    layouts.open_source(
        data.dataset, data.manual_dir, voxel_size=data.voxel_size, **data.source_options
    )
