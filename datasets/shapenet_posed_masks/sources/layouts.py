"""Open the source of shapes for a layout.

`open_source` returns a `Source`, which lists items and reads the voxels of each. The layouts are

    procedural         generated, no files
    shapenet_vox32     <category>/<model>/model.binvox, a folder or 3D-R2N2's ShapeNetVox32.tgz
    shapenet_core_v2   <category>/<model>/models/model_normalized.solid.binvox
    meshes             <category>/**.off, .obj, .ply, .stl, .glb
    voxels             <category>/**.binvox, .binvox.gz, .npy, .npz

where <category> is a synset id or a name. Sources are cheap to open and can be pickled. They list
the same items whatever the order of the files on disk, with ids that depend on no other shapes.
"""

import os
from collections.abc import Sequence
from typing import Any

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources import folders
from shapenet_posed_masks.sources.archives import VoxArchive
from shapenet_posed_masks.sources.base import Item, Source
from shapenet_posed_masks.sources.folders import FileTree, Folder, VoxFolder, entries_in
from shapenet_posed_masks.sources.generated import Procedural

_ARCHIVES = (".tgz", ".tar.gz", ".tar")
_FOLDERS: dict[str, type[Folder]] = {
    kind.layout: kind
    for kind in (VoxFolder, folders.CoreV2, folders.MeshFolder, folders.VoxelFolder)
}


def describe(layout: str, categories: Sequence[str], voxel_size: int, **axes: str) -> dict:
    """Return the `settings` of a source of files for these arguments, without the files."""
    return _FOLDERS[layout]("", categories, voxel_size, **axes).settings()


def open_source(
    layout: str,
    manual_dir: str = "",
    categories: Sequence[str] = (),
    voxel_size: int = 32,
    **options: Any,
) -> Source:
    """Open the source of a layout.

    Args:
      layout: one of LAYOUTS.
      manual_dir: the folder of the categories, or one that holds it by its published name
        (ShapeNetVox32, ShapeNetCore.v2, ModelNet10, ModelNet40). For 'shapenet_vox32' also the
        archive or the folder that holds it. Not used by 'procedural'.
      categories: names, aliases or synset ids; empty for all there are.
      voxel_size: N, the voxels along each side of the grids.
      **options: `num_shapes` and `seed` of `Procedural`, or `up` and `front` of `MeshFolder`.

    Raises:
      UserError: if a procedural category or an axis is unknown, or manual_dir is missing or empty.
        Unknown and empty categories of files are only found when `items` lists them.
    """
    if layout == "procedural":
        return Procedural(categories, voxel_size, **options)
    kind = _FOLDERS[layout]
    root = _find_root(kind, manual_dir)
    if os.path.isfile(root):
        kind = VoxArchive
    return kind(root, categories, voxel_size, **options)


def open_path(
    layout: str, path: str, categories: Sequence[str], voxel_size: int, **options: Any
) -> tuple[Source, list[Item]]:
    """Open the shapes of a file, of a folder of files, or of a folder of categories.

    Args:
      layout: one of LAYOUTS but 'procedural'. Single files and folders of files can be opened in
        the layouts 'meshes' and 'voxels'; the folder's name is then the shapes' category.
      path: the file or the folder.
      categories: as in `open_source`; not for files and folders of files.
      voxel_size: as in `open_source`.
      **options: as in `open_source`.

    Returns:
      The source, and its items that lie at the path, with the ids that they have in `open_source`
      of the parent of the folder of files.

    Raises:
      UserError: if there are no shapes, or they are not of this layout.
    """
    place = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(place):
        raise UserError(f"{path} does not exist: correct the path")
    kind = _FOLDERS[layout]
    single = os.path.isfile(place)
    if not issubclass(kind, FileTree) or not (single or _holds_files(place, kind.extensions)):
        source = open_source(layout, path, categories, voxel_size, **options)
        return source, source.items()
    if single and not place.lower().endswith(kind.extensions):
        raise UserError(
            f"--dataset={layout} cannot read {path}: give a file that ends in "
            f"{', '.join(kind.extensions)}, or another --dataset"
        )
    if categories:
        raise UserError(f"{path} holds shapes of one category: leave out --categories")
    root, name = os.path.split(os.path.dirname(place) if single else place)
    source = open_source(layout, root, [name], voxel_size, **options)
    below = os.path.relpath(place, root)
    return source, [item for item in source.items() if f"{item.path}/".startswith(f"{below}/")]


def _holds_files(folder: str, extensions: tuple[str, ...]) -> bool:
    """Return whether a folder holds files with these endings itself, not in subfolders."""
    names = (entry.name for entry in entries_in(folder) if not entry.is_dir())
    return any(n.lower().endswith(extensions) and not n.startswith(".") for n in names)


def _find_root(kind: type[Folder], manual_dir: str) -> str:
    """Return the path of the folder that holds the categories, or of its archive."""
    if not manual_dir:
        raise UserError(f"--dataset={kind.layout} reads your files: say where with --manual_dir")
    path = os.path.abspath(os.path.expanduser(manual_dir))
    archives = kind is VoxFolder
    if archives and os.path.isfile(path) and path.endswith(_ARCHIVES):
        return path
    if not os.path.isdir(path):
        kinds = "a folder or a .tgz archive" if archives else "a folder"
        raise UserError(f"--manual_dir={manual_dir} is not {kinds} that exists: correct the path")
    inner = [name for name in kind.published if os.path.isdir(os.path.join(path, name))]
    if len(inner) == 1:
        return os.path.join(path, inner[0])
    names = sorted(entry.name for entry in entries_in(path))
    if not names:
        raise UserError(f"--manual_dir={manual_dir} is empty: put the shapes there first")
    packed = [n for n in names if n.endswith(_ARCHIVES) and os.path.isfile(os.path.join(path, n))]
    if archives and packed and not folders.folders_in(path):
        if len(packed) > 1:
            raise UserError(f"--manual_dir={manual_dir} holds {len(packed)} archives: name one")
        return os.path.join(path, packed[0])
    return path
