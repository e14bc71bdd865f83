"""Masks of shapes in plain files, with their viewpoints, rendered as a data set's are."""

import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ptn_semi.data import configs
from ptn_semi.projection import geometry
from ptn_semi.settings import ShapeSettings
from ptn_semi.utils import binvox, files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets
from shapenet_posed_masks import rendering
from shapenet_posed_masks.sources.base import Item, Source

_VIEWS_DRAWN = 6


def write(
    settings: ShapeSettings,
    source: Source,
    items: list[Item],
    output_dir: str | os.PathLike,
) -> Iterator[tuple[Item, pathlib.Path | UserError]]:
    """Render shapes and write a folder for each: `<output_dir>/<model id>/`.

    The folder holds the masks `mask_00.png` and so on (white on black), `viewpoints.json` (camera,
    viewpoints and matrices; see `geometry.projection_matrix`), `voxels.binvox`, and
    `views.png`, which shows the shape beside its masks. A data set of the same shapes and settings
    has the same voxels, masks and viewpoints.

    Yields:
      Each item with its folder, or with the error of a shape that cannot be read.

    Raises:
      UserError: if the disk cannot be written.
    """
    renderer = rendering.Renderer(configs.rendering_config(settings))
    for item in items:
        try:
            voxels = source.read(item)
        except UserError as error:
            yield item, error
            continue
        _, example = renderer.example(item, voxels)
        folder = pathlib.Path(output_dir, item.model_id)
        _write_shape(folder, example, settings)
        yield item, folder


def _write_shape(folder: pathlib.Path, example: dict[str, Any], settings: ShapeSettings) -> None:
    names = [f"mask_{number:02d}.png" for number in range(len(example["masks"]))]
    for name, mask in zip(names, example["masks"], strict=True):
        sheets.save_png(folder / name, mask[..., 0].astype(np.uint8) * 255)
    with files.replacing(folder / "voxels.binvox") as partial:
        partial.write_bytes(binvox.write(example["voxels"]))
    sheets.save_png(folder / "views.png", _picture(example))
    views = [
        {
            "mask": name,
            **dict(zip(geometry.VIEWPOINT, viewpoint.tolist(), strict=False)),
            "projection_matrix": geometry.projection_matrix(
                viewpoint, settings.camera, settings.image_size
            ).tolist(),
        }
        for name, viewpoint in zip(names, example["viewpoints"], strict=True)
    ]
    description = {
        "model_id": example["model_id"],
        "category": example["category"],
        "voxel_size": settings.voxel_size,
        "image_size": settings.image_size,
        "camera": settings.camera.to_dict(),
        "views": views,
    }
    with files.replacing(folder / "viewpoints.json") as partial:
        partial.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    with files.explaining(folder):
        for left in set(folder.glob("mask_*.png")) - {folder / name for name in names}:
            left.unlink()  # of an earlier call with more views


def _picture(example: dict[str, Any]) -> np.ndarray:
    """Draw the shape from its first viewpoints, above the masks."""
    viewpoints = example["viewpoints"][:_VIEWS_DRAWN]
    shapes = [shading.shade_voxels(example["voxels"], tuple(view)) for view in viewpoints]
    masks = [sheets.mask_picture(mask) for mask in example["masks"][:_VIEWS_DRAWN]]
    titles = [f"elevation {view[0]:.0f}°, azimuth {view[1]:.0f}°" for view in viewpoints]
    return sheets.grid([shapes, masks], titles, ["shape", "mask"])
