"""Where shapes come from: a list of items, and the voxels of each.

`open_source` returns a `Source` for one of the layouts

    procedural         generated, no files
    shapenet_vox32     <category>/<model>/model.binvox, a folder or 3D-R2N2's ShapeNetVox32.tgz
    shapenet_core_v2   <category>/<model>/models/model_normalized.solid.binvox
    meshes             <category>/**.off, .obj, .ply, .stl, .glb

where <category> is a synset id or a name. Sources are cheap to open, picklable (for reading in
several processes), and list the same items whatever the order of files on disk. Ids never depend on
which other shapes are there. Nothing here imports TensorFlow.
"""

import os
from collections.abc import Sequence

import numpy as np

from ptn_semi.settings import LAYOUTS
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from shapenet_posed_masks.sources.archives import VoxArchive
from shapenet_posed_masks.sources.base import Item, Source, unknown_category
from shapenet_posed_masks.sources.folders import (
    CoreV2,
    MeshFolder,
    VoxFolder,
    entries_in,
    folders_in,
)

_ARCHIVES = (".tgz", ".tar.gz", ".tar")


class Procedural(Source):
    """Generated shapes, `num_shapes` in all, spread evenly over the categories.

    The ids and shapes of a smaller set are among those of a larger one with the same seed.
    """

    layout = "procedural"

    def __init__(self, categories: Sequence[str], voxel_size: int, num_shapes: int, seed: int):
        super().__init__(categories or procedural.CATEGORIES, voxel_size)
        self.num_shapes = num_shapes
        self.seed = seed
        unknown = sorted(set(self.categories) - set(procedural.CATEGORIES))
        if unknown:
            raise unknown_category(unknown[0], procedural.CATEGORIES, "--dataset=procedural")
        if num_shapes < len(self.categories):
            raise UserError(
                f"--num_shapes={num_shapes} leaves a category without a shape: give at least "
                f"{len(self.categories)}, one for each category"
            )

    def items(self) -> list[Item]:
        """Returns `num_shapes` items, sorted by id."""
        n = len(self.categories)
        return sorted(
            Item(f"{self.categories[i % n]}_{i // n:06d}", self.categories[i % n], "")
            for i in range(self.num_shapes)
        )

    def read(self, item: Item) -> np.ndarray:
        """Returns the generated bool [N, N, N]."""
        index = int(item.model_id.rpartition("_")[2])
        return procedural.generate(item.category, index, self.seed, self.voxel_size)

    def settings(self) -> dict:
        """Returns the settings of the generator."""
        return super().settings() | {"num_shapes": self.num_shapes, "seed": self.seed}


def describe(layout: str, categories: Sequence[str], voxel_size: int, **axes: str) -> dict:
    """Returns the `settings` of a source of files, wherever its files are."""
    kinds = {"shapenet_vox32": VoxFolder, "shapenet_core_v2": CoreV2, "meshes": MeshFolder}
    return kinds[layout]("", categories, voxel_size, **axes).settings()


def open_source(
    layout: str,
    manual_dir: str | None = None,
    categories: Sequence[str] = (),
    voxel_size: int = 32,
    *,
    num_shapes: int = 2000,
    seed: int = 0,
    up: str = "+y",
    front: str = "+z",
) -> Source:
    """Returns the source of a layout.

    Args:
      layout: one of LAYOUTS.
      manual_dir: the user's folder: the categories' folder, one that holds it by its published name
        (ShapeNetVox32, ShapeNetCore.v2), or, for shapenet_vox32, the archive or its folder. Not
        used by 'procedural'.
      categories: names, aliases or synset ids; empty for all there are.
      voxel_size: N.
      num_shapes: how many shapes, for 'procedural' only.
      seed: of the shapes, for 'procedural' only.
      up: the files' axis that points up, for 'meshes' only.
      front: the files' axis towards which objects face, for 'meshes' only.

    Raises:
      UserError: unknown layout, missing or empty manual_dir, unknown procedural category. Unknown
        and empty categories of files are found when they are listed, by `items`.
    """
    if layout == "procedural":
        return Procedural(categories, voxel_size, num_shapes, seed)
    if layout == "shapenet_vox32":
        root = _find_root(layout, manual_dir, "ShapeNetVox32", archives=True)
        kind = VoxFolder if os.path.isdir(root) else VoxArchive
        return kind(root, categories, voxel_size)
    if layout == "shapenet_core_v2":
        return CoreV2(_find_root(layout, manual_dir, "ShapeNetCore.v2"), categories, voxel_size)
    if layout == "meshes":
        return MeshFolder(_find_root(layout, manual_dir, ""), categories, voxel_size, up, front)
    raise UserError(f"--dataset={layout} is unknown: give one of {', '.join(LAYOUTS)}")


def _find_root(layout: str, manual_dir: str | None, inner: str, archives: bool = False) -> str:
    """Returns the folder that holds the categories, or the archive of it."""
    if not manual_dir:
        raise UserError(f"--dataset={layout} reads your files: say where with --manual_dir")
    path = os.path.abspath(os.path.expanduser(manual_dir))
    if archives and os.path.isfile(path) and path.endswith(_ARCHIVES):
        return path
    if not os.path.isdir(path):
        kinds = "a folder or a .tgz archive" if archives else "a folder"
        raise UserError(f"--manual_dir={manual_dir} is not {kinds} that exists: correct the path")
    if inner and os.path.isdir(os.path.join(path, inner)):
        return os.path.join(path, inner)
    names = sorted(entry.name for entry in entries_in(path))
    if not names:
        raise UserError(f"--manual_dir={manual_dir} is empty: put the shapes there first")
    packed = [n for n in names if n.endswith(_ARCHIVES) and os.path.isfile(os.path.join(path, n))]
    if archives and packed and not folders_in(path):
        if len(packed) > 1:
            raise UserError(f"--manual_dir={manual_dir} holds {len(packed)} archives: name the one")
        return os.path.join(path, packed[0])
    return path
