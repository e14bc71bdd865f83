"""Sources that read the user's files: folders of voxel files and folders of meshes."""

import abc
import errno
import functools
import hashlib
import os
from collections.abc import Iterator, Sequence
from stat import S_ISREG
from typing import Any, NamedTuple

import numpy as np

from ptn_semi.utils import binvox, files
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.formats import grids, meshes, voxel_files
from shapenet_posed_masks.sources.base import Item, Source, unknown_category
from shapenet_posed_masks.sources.taxonomy import category_name

_MAX_BINVOX = 64 << 20  # bytes of one file; real ones have 1 to 200 kB
# Files of shapes of any kind, packed or not.
_SHAPES = (
    *meshes.EXTENSIONS,
    *voxel_files.EXTENSIONS,
    *(".3dm", ".3ds", ".3mf", ".amf", ".blend", ".c4d", ".dae", ".dxf", ".fbx", ".gltf"),
    *(".iges", ".igs", ".lwo", ".ma", ".max", ".mb", ".skp", ".step", ".stp", ".usd", ".usda"),
    *(".usdc", ".usdz", ".vrm", ".wrl", ".x3d", ".h5", ".hdf5", ".mat", ".nrrd", ".vox", ".vtk"),
    *(".7z", ".gz", ".rar", ".tar", ".tgz", ".zip"),
)
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Stamp(NamedTuple):
    """What tells whether a file has changed."""

    size: int  # in bytes
    mtime_ns: int  # time of the last change, in nanoseconds


_REFUSED = Stamp(-1, -1)  # of what cannot be read


class Folder(Source):
    """Shapes in files below `root`/<category>. Symbolic links are followed: people link data."""

    expected: str  # path of a shape below the root, for messages
    published: tuple[str, ...] = ()  # names under which such a folder is published

    def __init__(self, root: str, categories: Sequence[str], voxel_size: int):
        super().__init__(categories, voxel_size)
        self.root = root

    @abc.abstractmethod
    def _scan_category(self, folder: str) -> Iterator[tuple[str, str, Stamp]]:
        """Yield (model_id, path, stamp) of each shape below a category's folder."""

    def _scan(self) -> tuple[dict[Item, Stamp], set[str]]:
        """Return the shapes of the wanted categories, and all categories that are there."""
        found, present = {}, set()
        lost = [entry for entry in entries_in(self.root) if _leads_nowhere(entry)]
        for entry in folders_in(self.root) + lost:
            category = category_name(entry.name)
            present.add(category)
            if not self._wants(category):
                continue
            if entry in lost:  # reading it says so
                found[Item(entry.name, category, entry.name)] = _REFUSED
                continue
            for model_id, path, stamp in self._scan_category(entry.name):
                found[Item(model_id, category, path)] = stamp
        return found, present

    def _wants(self, category: str) -> bool:
        return not self.categories or category in self.categories

    @functools.cached_property
    def _files(self) -> dict[Item, Stamp]:
        found, present = self._scan()
        for category in self.categories:
            if category not in present:
                raise unknown_category(category, sorted(present), self.root)
            if not any(item.category == category for item in found):
                raise UserError(
                    f"category {category} has no shapes in {self.root}: add files as "
                    f"{self.expected}, or leave it out of --categories"
                )
        if not found:
            raise UserError(
                f"--manual_dir={self.root} holds no shapes: put files there as {self.expected}"
            )
        return dict(sorted(found.items()))

    def items(self) -> list[Item]:
        """Return an item for each file of the layout, sorted by id; other files are ignored.

        So is a link among the categories that leads nowhere: `read` says that.
        """
        return list(self._files)

    def fingerprint(self) -> dict:
        """Return the settings and a digest of every file's path, size and time of change."""
        digest = hashlib.sha256()
        for path, stamp in sorted((item.path, stamp) for item, stamp in self._files.items()):
            line = f"{path}\0{stamp.size}\0{stamp.mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return self.settings() | {"files": len(self._files), "sha256": digest.hexdigest()}

    def _path(self, item: Item) -> str:
        return os.path.join(self.root, item.path)

    def _read_bytes(self, item: Item, limit: int) -> bytes:
        fix, path = "replace the file or remove it", self._path(item)
        if os.path.isdir(path):
            entries_in(path)  # which raises an error
        return files.read(path, limit, fix)


class _ModelFolder(Folder):
    """Files `root`/<category>/<model>/<tail>. A model has the same id in every such layout."""

    tail: str

    def _scan_category(self, folder: str) -> Iterator[tuple[str, str, Stamp]]:
        for entry in folders_in(os.path.join(self.root, folder)):
            # Some models of ShapeNetCore have no voxels.
            if stamp := _stamp(os.path.join(entry.path, self.tail)):
                yield f"{folder}/{entry.name}", f"{folder}/{entry.name}/{self.tail}", stamp

    def _read_grid(self, item: Item) -> np.ndarray:
        return binvox.read(self._read_bytes(item, _MAX_BINVOX), self._path(item))


class VoxFolder(_ModelFolder):
    """3D-R2N2's ShapeNetVox32: 32³ solids that are already in object axes.

    They are taken as they are. At another voxel_size they are resized (see `grids.resize`).
    """

    layout = "shapenet_vox32"
    published = ("ShapeNetVox32",)
    expected = "<category>/<model>/model.binvox"
    tail = "model.binvox"

    def read(self, item: Item) -> np.ndarray:
        """Read the voxels of an item, bool [N, N, N]; see `Source.read`."""
        return grids.resize(self._read_grid(item), self.voxel_size)


class CoreV2(_ModelFolder):
    """ShapeNetCore.v2's 128³ solids, which lie in a corner of their grid with y up and front −z.

    They are turned to object axes, fitted to N³ and filled. The solids of open meshes hold no more
    than their surfaces. Filling comes after the reduction, because that closes gaps narrower than
    a cell. A shape with wider gaps stays a surface.
    """

    layout = "shapenet_core_v2"
    published = ("ShapeNetCore.v2",)
    expected = "<category>/<model>/models/model_normalized.solid.binvox"
    tail = "models/model_normalized.solid.binvox"

    def read(self, item: Item) -> np.ndarray:
        """Read the voxels of an item, bool [N, N, N]; see `Source.read`."""
        voxels = grids.turn(self._read_grid(item), up="+y", front="-z")
        return grids.fill_holes(grids.reduce(voxels, self.voxel_size))


class FileTree(Folder):
    """Files in a folder per category, including subfolders such as ModelNet's train and test.

    The id of a shape is its path with its ending. Two subfolders or two formats may share a name,
    and files that are added later must not change an id.
    """

    extensions: tuple[str, ...]  # in lower case

    def _scan(self) -> tuple[dict[Item, Stamp], set[str]]:
        self._ignored: list[str] = []
        if not self.categories:  # all in the root is wanted, but only folders are read there
            names = [entry.name for entry in entries_in(self.root) if entry.is_file()]
            self._ignored += [n for n in names if _is_shape(n) and not n.startswith(".")]
        return super()._scan()

    def note(self) -> str:
        """Return a sentence on the files of shapes that are not read; see `Source.note`."""
        self.items()  # looks through the folders on the first call
        if not self._ignored:
            return ""
        many = "file of shapes is" if len(self._ignored) == 1 else "files of shapes are"
        return (
            f"{len(self._ignored)} {many} not read by --dataset={self.layout}: "
            f"{files.some_of(sorted(self._ignored))}"
        )

    def _scan_category(self, folder: str) -> Iterator[tuple[str, str, Stamp]]:
        waiting = [(folder, [os.path.realpath(self.root)])]
        while waiting:
            inner, above = waiting.pop()
            place = os.path.realpath(os.path.join(self.root, inner))
            if any(os.path.commonpath([place, outer]) == place for outer in above):
                continue  # a link back to a folder that is being read
            try:
                entries = entries_in(os.path.join(self.root, inner))
            except UserError:  # reading the folder as an item says what is wrong
                yield inner, inner, _REFUSED
                continue
            for entry in entries:
                path = f"{inner}/{entry.name}"
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    waiting.append((path, [*above, place]))
                elif entry.name.lower().endswith(self.extensions):
                    if stamp := _stamp(entry.path):
                        yield path, path, stamp
                elif _is_shape(entry.name):
                    self._ignored.append(path)


class MeshFolder(FileTree):
    """Meshes in a folder per category, with axes of their own (see `grids.axes_matrix`)."""

    layout = "meshes"
    published = ("ModelNet10", "ModelNet40")
    extensions = meshes.EXTENSIONS
    expected = f"<category>/<name> ending in {', '.join(meshes.EXTENSIONS)}"

    def __init__(self, *args: Any, up: str = "+y", front: str = "+z"):
        super().__init__(*args)
        grids.axes_matrix(up, front)  # raises on wrong axes before anything is read
        self.up, self.front = up, front

    def read(self, item: Item) -> np.ndarray:
        """Read the voxels of an item, bool [N, N, N]; see `Source.read`."""
        data = self._read_bytes(item, meshes.MAX_BYTES)
        return meshes.voxelise(data, self._path(item), self.voxel_size, self.up, self.front)

    def settings(self) -> dict:
        """Return the settings, including the axes."""
        return super().settings() | {"up": self.up, "front": self.front}


class VoxelFolder(FileTree):
    """Voxel grids in a folder per category, in object axes.

    A grid of the wanted size is taken as it is. A cube of another size is resized
    (`grids.resize`), and a box is fitted to a cube (`grids.reduce`).
    """

    layout = "voxels"
    extensions = voxel_files.EXTENSIONS
    expected = f"<category>/<name> ending in {', '.join(voxel_files.EXTENSIONS)}"

    def read(self, item: Item) -> np.ndarray:
        """Read the voxels of an item, bool [N, N, N]; see `Source.read`."""
        data = self._read_bytes(item, voxel_files.MAX_BYTES)
        voxels = voxel_files.read(data, self._path(item))
        is_cube = len(set(voxels.shape)) == 1
        return (grids.resize if is_cube else grids.reduce)(voxels, self.voxel_size)


def folders_in(path: str) -> list[os.DirEntry]:
    """Return the folders in a folder, without hidden ones."""
    return [
        entry for entry in entries_in(path) if _is_folder(entry) and not entry.name.startswith(".")
    ]


def entries_in(path: str) -> list[os.DirEntry]:
    """Return the entries of a folder.

    Raises:
      UserError: if the folder cannot be listed.
    """
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise UserError(
            f"{path} cannot be listed ({error.strerror}): make it readable or remove it"
        ) from error


def _is_folder(entry: os.DirEntry) -> bool:
    # Following links, `DirEntry.is_dir` would raise an error where they form a circle.
    return entry.is_dir(follow_symlinks=False) or os.path.isdir(entry.path)


def _leads_nowhere(entry: os.DirEntry) -> bool:
    hidden = entry.name.startswith(".")
    return entry.is_symlink() and not hidden and not os.path.exists(entry.path)


def _is_shape(name: str) -> bool:
    return name.lower().endswith(_SHAPES)


def _stamp(path: str) -> Stamp | None:
    """Return a file's stamp, or None for a missing file, a broken link, a folder or a pipe."""
    try:
        stat = os.stat(path)
    except OSError as error:
        return None if error.errno in _NO_FILE else _REFUSED
    return Stamp(stat.st_size, stat.st_mtime_ns) if S_ISREG(stat.st_mode) else None
