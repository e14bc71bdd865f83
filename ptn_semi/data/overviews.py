"""What a prepared data set holds, shown to people: a picture of samples and a table of counts."""

import pathlib

import numpy as np

from ptn_semi.data import splits
from ptn_semi.visual import shading, sheets
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks

_SHAPES_DRAWN = 10
_MASKS_DRAWN = 4


def draw_samples(builder: posed_masks.Builder) -> pathlib.Path:
    """Return the path of the picture of samples that lies beside the data set.

    The picture is drawn if it is missing, as after a build that was killed before drawing it.

    Raises:
      UserError: if the picture cannot be written.
    """
    path = pathlib.Path(builder.data_dir).parent / "samples.png"
    if not path.exists():
        sheets.save_png(path, _picture(builder))
    return path


def _picture(builder: posed_masks.Builder) -> np.ndarray:
    """Draw shapes spread evenly over the categories, each with its first masks."""
    # A small set may have no training shapes.
    split = next(split for split in posed_masks.SPLITS if split in builder.info.splits)
    shapes = splits.load(builder, split, with_voxels=True)
    order = np.argsort(shapes.categories, kind="stable")
    index = order[shapes.spread(_SHAPES_DRAWN)]
    views = range(min(_MASKS_DRAWN, shapes.masks.shape[1]))
    rows = []
    for shape in index:
        voxels = shapes.unpack_voxels(shape)
        shaded = [shading.shade_voxels(voxels, view, 128) for view in shading.VIEWPOINTS]
        masks = [sheets.mask_picture(mask) for mask in shapes.unpack_masks(shape, views)]
        rows.append(shaded + masks)
    titles = [f"shape at azimuth {azimuth}°" for _, azimuth in shading.VIEWPOINTS]
    titles += [f"mask {view + 1}" for view in views]
    return sheets.grid(rows, titles, list(shapes.categories[index]))


def summarize(builder: posed_masks.Builder) -> str:
    """Return a text table of the shapes per category and split, and a list of files left out."""
    names = list(posed_masks.SPLITS)
    lines = [f"{'category':16}" + "".join(f"{name:>12}" for name in names)]
    for category, row in builder.info.metadata["num_shapes"].items():
        lines.append(f"{category:16}" + "".join(f"{row.get(name, 0):>12}" for name in names))
    left_out = builder.info.metadata.get("left_out") or []
    if left_out:
        lines += [f"{len(left_out)} files were left out:", *(f"  {text}" for text in left_out)]
    return "\n".join(lines)
