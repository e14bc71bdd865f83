"""The images among files and folders."""

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator

from PIL import Image

from ptn_semi.images import image_files
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

# Images of other formats than `image_files.FORMATS`.
_OTHER_IMAGES = (
    *(".avif", ".heic", ".heif", ".hif", ".j2c", ".j2k", ".jp2", ".jpf", ".jpx", ".jxl"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
    *(".eps", ".exr", ".hdr", ".ico", ".pdf", ".psd", ".svg", ".tga"),
)


def list_images(
    paths: Iterable[str | os.PathLike],
) -> Iterator[tuple[pathlib.Path, UserError | None]]:
    """List image files and the image files of folders.

    Yields:
      (path, None) for an image. (path, `UserError`) for a folder that cannot be listed or holds no
      images.
    """
    formats = Image.registered_extensions()
    for path in map(pathlib.Path, paths):
        if not os.path.isdir(path):
            yield path, None
            continue
        try:
            children = sorted(path.iterdir())
        except OSError as error:
            yield path, UserError(f"{path} cannot be listed ({error.strerror}): make it readable")
            continue
        found = [c for c in children if formats.get(c.suffix.lower()) in image_files.FORMATS]
        for child in found:
            yield child, None
        if not found:
            yield path, UserError(f"{path} holds no images: give image files or another folder")


def note_ignored(paths: Iterable[str | os.PathLike]) -> str:
    """Return a sentence on the images and folders in folders that `list_images` leaves out.

    It is '' where there are none.
    """
    ignored: list[pathlib.Path] = []
    for folder in filter(os.path.isdir, paths):
        with contextlib.suppress(OSError):  # `list_images` says what is wrong
            ignored += sorted(
                child
                for child in pathlib.Path(folder).iterdir()
                if child.suffix.lower() in _OTHER_IMAGES
                or (child.is_dir() and not child.name.startswith("."))
            )
    if not ignored:
        return ""
    many = "file or folder is" if len(ignored) == 1 else "files or folders are"
    formats = ", ".join(image_files.FORMATS)
    return (
        f"{len(ignored)} {many} not read, as only images in {formats} that lie in the named "
        f"folders themselves are: {files.some_of(ignored)}"
    )
