"""Image files to files of shapes and previews."""

import contextlib
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from PIL import Image

from ptn_semi.inference import colors, images, previews, reconstruction, shape_files, silhouettes
from ptn_semi.inference.reconstruction import Reconstruction, Reconstructor
from ptn_semi.settings import PLAIN_MESHES, MeshSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets

MAX_VIEWS = 8
# Images of other formats than `images.FORMATS`.
_OTHER_IMAGES = (
    *(".avif", ".heic", ".heif", ".hif", ".j2c", ".j2k", ".jp2", ".jpf", ".jpx", ".jxl"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
    *(".eps", ".exr", ".hdr", ".ico", ".pdf", ".psd", ".svg", ".tga"),
)


@dataclasses.dataclass(frozen=True)
class Options:
    """How images are read, and what is written."""

    formats: Sequence[str] = ("glb",)  # of `settings.SHAPE_FORMATS`
    meshes: MeshSettings = PLAIN_MESHES
    threshold: float | None = None  # None to choose it by the masks
    shapes: str = "whole"  # one of `settings.SHAPES`
    framed: bool = False  # whether images are framed as training masks already
    segment: str = "auto"  # how objects in photographs are found; see `silhouettes.find`
    label: int | None = None  # the number of the object in masks of labels


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
        found = [c for c in children if formats.get(c.suffix.lower()) in images.FORMATS]
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
    return (
        f"{len(ignored)} {many} not read, as only images in {', '.join(images.FORMATS)} that lie "
        f"in the named folders themselves are: {files.some_of(ignored)}"
    )


def reconstruct_files(
    reconstructor: Reconstructor,
    paths: Iterable[str | os.PathLike],
    output_dir: str | os.PathLike,
    options: Options,
) -> Iterator[tuple[pathlib.Path, list[pathlib.Path] | UserError, Reconstruction | None]]:
    """Reconstruct the object in each image. An image that cannot be used does not stop the others.

    The shape is `<image's name>.<format>` in the output folder, and its preview
    `<image's name>.png`. Images of one name get numbers.

    Yields:
      The path of the image; the files written for it, or a `UserError`; and the shape, or None.
    """
    found = list(list_images(paths))
    given = {os.path.realpath(path) for path, _ in found}
    taken: set[str] = set()
    for path, problem in found:
        try:
            if problem:
                raise problem
            names = itertools.chain([path.stem], (f"{path.stem}_{i}" for i in itertools.count(2)))
            free = next(name for name in names if name not in taken)
            taken.add(free)
            name = pathlib.Path(output_dir, free)
            written, result = _reconstruct(reconstructor, [path], None, name, options, given)
        except UserError as error:
            yield path, error, None
        else:
            yield path, written, result


def reconstruct_views(
    reconstructor: Reconstructor,
    paths: Sequence[str | os.PathLike],
    output_dir: str | os.PathLike,
    options: Options,
    viewpoints: Sequence[Sequence[float]] | None = None,
) -> tuple[list[pathlib.Path], list[pathlib.Path], Reconstruction]:
    """Reconstruct one object from 2 to `MAX_VIEWS` images of it; see `reconstruct_files`.

    What is written has the first image's name. The viewpoints are the elevation and azimuth of each
    image, in degrees; None to estimate them.

    Returns:
      The paths of the images, the files that were written, and the shape.

    Raises:
      UserError: if one of the images cannot be used, there are too few or too many, or there is not
        a viewpoint for each.
    """
    found = list(list_images(paths))
    for _, problem in found:
        if problem:
            raise problem
    views = [path for path, _ in found]
    if not 2 <= len(views) <= MAX_VIEWS:
        raise UserError(f"--views needs 2 to {MAX_VIEWS} images of one object, not {len(views)}")
    if viewpoints is not None and len(viewpoints) != len(views):
        raise UserError(
            f"--viewpoints has {len(viewpoints)} viewpoints, and there are {len(views)} images: "
            "give two numbers for each image"
        )
    name = pathlib.Path(output_dir, views[0].stem)
    given = {os.path.realpath(path) for path in views}
    return views, *_reconstruct(reconstructor, views, viewpoints, name, options, given)


def _reconstruct(
    reconstructor: Reconstructor,
    paths: Sequence[pathlib.Path],
    viewpoints: Sequence[Sequence[float]] | None,
    name: pathlib.Path,
    options: Options,
    given: Collection[str],
) -> tuple[list[pathlib.Path], Reconstruction]:
    """Reconstruct an object from images of it. Write `name` with the suffix of each format.

    The real paths of all images, `given`, are not written to.
    """
    views = []
    for path in paths:
        found = silhouettes.read(path, options.segment, options.label)
        view = reconstruction.frame_view(reconstructor, found, options.framed)
        if options.meshes.color and not colors.has_colors(view):
            raise UserError(
                f"{path} has one colour only, as masks have, and cannot colour a shape: leave out "
                "--color"
            )
        views.append(view)
    result = reconstruction.reconstruct(
        reconstructor, views, options.threshold, viewpoints, options.shapes
    )
    reconstruction.check_shape(result.shape, paths[0])
    # The name may hold dots, so no suffix is replaced.
    written = [name.with_name(f"{name.name}.{kind}") for kind in [*options.formats, "png"]]
    *shapes, preview = written
    if os.path.realpath(preview) in given:
        raise UserError(
            f"the preview of {paths[0]} would replace the image {preview}: give another "
            "--output_dir"
        )
    paint = None
    if options.meshes.color:
        textures = [colors.make_texture(view) for view in views]
        camera = reconstructor.info.settings.camera
        paint = colors.Painter(textures, result.fits, result.shape.occupied, camera)
    for file in shapes:
        shape_files.write(file, result.shape, result.voxels, options.meshes, paint)
    sheets.save_png(preview, previews.draw(views, result, paint or shading.PREDICTED_COLOR))
    return written, result
