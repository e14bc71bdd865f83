"""What can be refused of a data set before TensorFlow is loaded, which takes seconds."""

import pathlib

from shapenet_posed_masks.sources import layouts


def check_shapes(data):
    """Refuses a `DataSettings` whose shapes are nowhere; files are not looked into.

    Raises:
      UserError: --manual_dir is missing or wrong, or a procedural category or an axis is unknown.
    """
    prepared = pathlib.Path(data.data_dir).glob(f"*/{data.dataset}-*")
    if data.dataset != "procedural" and not data.manual_dir and any(prepared):
        return  # one of these may be it; its files are not needed then
    layouts.open_source(
        data.dataset, data.manual_dir, voxel_size=data.voxel_size, **data.source_options
    )
