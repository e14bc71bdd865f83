"""The TFDS config of a data set, whose name tells what the data set is built from.

The name of a prepared set's folder holds a digest of everything that it was built from. A set of
other shapes, or one that was rendered differently, can therefore never be mistaken for it.
"""

import hashlib
import json
import pathlib

from ptn_semi.settings import DataSettings, ShapeSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks


def rendering_config(settings: ShapeSettings) -> posed_masks.PosedMasksConfig:
    """Return the TFDS config that shapes are rendered by, named after their layout.

    Raises:
      UserError: if a range of the viewpoints is not one.
    """
    views = settings.views
    return posed_masks.PosedMasksConfig(
        name=settings.dataset,
        layout=settings.dataset,
        source_options=settings.source_options,
        voxel_size=settings.voxel_size,
        image_size=settings.image_size,
        num_views=settings.num_views,
        seed=settings.data_seed,
        elevation_range=views.elevation,
        azimuth_range=views.azimuth,
        roll_range=views.roll,
        distance_range=views.distance,
        framed_share=views.framed_share,
        camera=settings.camera,
        manual_dir=settings.manual_dir,
        skip_invalid=settings.skip_invalid,
    )


def named_config(settings: DataSettings) -> posed_masks.PosedMasksConfig:
    """Return the TFDS config of a data set, prepared or not. Its name is that of the set's folder.

    Raises:
      UserError: if the shapes cannot be found, or --manual_dir is needed to tell prepared sets
        apart.
    """
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


def list_categories(settings: DataSettings) -> list[str]:
    """Return the sorted categories of the shapes that a data set is built from.

    Raises:
      UserError: as `named_config`.
    """
    return sorted({item.category for item in named_config(settings).open_source().items()})
