"""Reconstruction of image files: voxels, meshes and previews from a trained model."""

import dataclasses
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from ptn_semi.data import framing
from ptn_semi.inference import exports, fits, images, shape_files, silhouettes
from ptn_semi.models import checkpoints
from ptn_semi.models.predictor import Predictor
from ptn_semi.projection.camera import ELEVATION_RANGE
from ptn_semi.projection.projector import Projector
from ptn_semi.settings import PLAIN_MESHES, MeshSettings
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets, surfaces

# For checkpoints from before training kept the extent. It is the extent of chairs seen all round.
_EXTENT = 0.8
# IoU of shape and mask under which a mask is doubtful. At most one in ten masks of a model's own
# category was under it, and between none (cars) and most (tables, for airplanes) of other ones.
_FITTING = 0.6
_SIZE = 160  # side of the pictures in a preview, in pixels
_VIEWPOINTS = ((20, 30), (20, 120), (20, 210), (20, 300))  # elevation, azimuth in degrees


@dataclasses.dataclass(frozen=True)
class Reconstructor:
    """A trained model and what is needed to apply it to images.

    Attributes:
      predict: function from masks float32 [B, S, S, 1] to voxels float32 [B, N, N, N] in [0, 1].
      image_size: S, the rows and columns of a mask.
      threshold: probability above which voxels are occupied; the best on the validation split.
      extent: how the training masks are framed; see `framing.frame`.
      projector: the projector of the training masks; None if viewpoints cannot be estimated.
      elevation_range: lowest and highest elevation of the training masks, in degrees.
      categories: what the model was trained on.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    image_size: int
    threshold: float
    extent: float
    projector: Projector | None = None
    elevation_range: Sequence[float] = ELEVATION_RANGE
    categories: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Judgement:
    """How sure a reconstruction is.

    Attributes:
      doubts: why it may be wrong, in words; empty if nothing speaks against it.
      fit: the viewpoint from which it is most like its mask; None if unknown.
    """

    doubts: tuple[str, ...] = ()
    fit: fits.Fit | None = None


def load_model(path: str | os.PathLike) -> Reconstructor:
    """Load a trained model.

    Args:
      path: a workdir, a checkpoint's folder, or a SavedModel that `exports.export` wrote.

    Raises:
      UserError: if it holds no model that can be used.
    """
    path = pathlib.Path(path)
    if (path / "saved_model.pb").exists():
        model, known = exports.read(path)
    else:
        checkpoint = checkpoints.find(path)
        model = checkpoints.load_model(checkpoint)
        known = exports.metadata(checkpoint, model)
    return Reconstructor(
        Predictor(model),
        model.image_size,
        known["threshold"],
        known["extent"] or _EXTENT,
        model.projector,
        model.elevation_range,
        known["categories"],
    )


def judge(reconstructor: Reconstructor, occupied: np.ndarray, mask: np.ndarray) -> Judgement:
    """Say how well a reconstruction explains its mask.

    Args:
      reconstructor: the model that made it.
      occupied: bool [N, N, N], without crumbs.
      mask: what the model saw, float32 [S, S, 1].

    Returns:
      The viewpoint that fits best, and a doubt if the shape does not fit from there either.
    """
    if reconstructor.projector is None:
        return Judgement()
    fit = fits.best(occupied, mask, reconstructor.projector, reconstructor.elevation_range)
    if fit.iou >= _FITTING:
        return Judgement(fit=fit)
    known = " and ".join(reconstructor.categories) or "other shapes"
    doubt = f"the shape does not fit the mask; the model was trained on {known}"
    return Judgement((doubt,), fit)


def images_in(
    paths: Iterable[str | os.PathLike],
) -> Iterator[tuple[pathlib.Path, UserError | None]]:
    """List image files.

    Args:
      paths: image files, or folders whose image files are listed.

    Yields:
      (path, None) for an image. (path, `UserError`) for a folder that cannot be listed or holds no
      images, and for a link in a folder that leads out of it.
    """
    formats = Image.registered_extensions()
    for path in map(pathlib.Path, paths):
        if not os.path.isdir(path):
            yield path, None
            continue
        try:
            found = sorted(
                child
                for child in path.iterdir()
                if formats.get(child.suffix.lower()) in images.FORMATS
            )
        except OSError as error:
            yield path, UserError(f"{path} cannot be listed ({error.strerror}): make it readable")
            continue
        for child in found:
            yield child, files.link_problem(path, child)
        if not found:
            yield path, UserError(f"{path} holds no images: give image files or another folder")


def reconstruct_files(
    reconstructor: Reconstructor,
    paths: Iterable[str | os.PathLike],
    output_dir: str | os.PathLike,
    formats: Sequence[str],
    meshes: MeshSettings = PLAIN_MESHES,
    threshold: float | None = None,
    framed: bool = False,
    segment: str = "auto",
) -> Iterator[tuple[pathlib.Path, list[pathlib.Path] | UserError, Judgement]]:
    """Reconstruct the object in each image. An image that cannot be used does not stop the others.

    Args:
      reconstructor: the trained model.
      paths: image files, or folders of them.
      output_dir: folder for the shape `<image's name>.<format>` and the preview
        `<image's name>.png`.
      formats: the formats to write, each one of `settings.SHAPE_FORMATS`.
      meshes: how to make meshes.
      threshold: probability above which voxels are occupied; None for the model's own.
      framed: whether the images are framed as training masks already.
      segment: how to find objects in photographs, one of `settings.SEGMENTATIONS`; see
        `silhouettes.find`.

    Yields:
      The path of the image; the files written for it, or a `UserError`; and how sure the shape
      is, with the doubts about the silhouette.
    """
    threshold = reconstructor.threshold if threshold is None else threshold
    extent = None if framed else reconstructor.extent
    found = list(images_in(paths))
    given = {os.path.realpath(path) for path, _ in found}
    taken: set[str] = set()
    for path, problem in found:
        if problem:
            yield path, problem, Judgement()
            continue
        try:
            image, silhouette, doubts = silhouettes.read(path, segment)
            mask = framing.frame(silhouette, reconstructor.image_size, extent)
            voxels = reconstructor.predict(mask[None])[0]
            check_shape(voxels, threshold, path)
            occupied = surfaces.without_crumbs(voxels, threshold) > threshold
            judgement = judge(reconstructor, occupied, mask)
            name = _free_name(path.stem, taken)
            written = [pathlib.Path(output_dir, f"{name}.{kind}") for kind in [*formats, "png"]]
            if os.path.realpath(written[-1]) in given:
                raise UserError(
                    f"the preview of {path} would replace the image {written[-1]}: give another "
                    "--output_dir"
                )
            for file in written[:-1]:
                shape_files.write(file, voxels, threshold, meshes)
            sheets.save_png(written[-1], _preview(image, silhouette, mask, occupied))
        except UserError as error:
            yield path, error, Judgement()
        else:
            yield path, written, Judgement(doubts + judgement.doubts, judgement.fit)


def _free_name(stem: str, taken: set[str]) -> str:
    """Choose a name for an image's files that no other image has taken, and add it to `taken`."""
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def check_shape(voxels: np.ndarray, threshold: float, name: str | os.PathLike) -> None:
    """Check that a reconstruction has occupied voxels.

    Args:
      voxels: probabilities, float32 [N, N, N] in [0, 1].
      threshold: probability above which voxels are occupied.
      name: the image's name in the error message.

    Raises:
      UserError: if no voxel is above the threshold.
    """
    if not (voxels > threshold).any():
        raise UserError(
            f"the model sees no shape in {name}: no voxel is over the threshold {threshold:g}; "
            "lower the threshold"
        )


def _preview(
    image: np.ndarray, silhouette: np.ndarray, mask: np.ndarray, occupied: np.ndarray
) -> np.ndarray:
    """Draw the image, its silhouette, the mask that the model sees, and the shape all round."""
    row = [_in_square(image), sheets.mask_picture(_in_square(silhouette) / 255, _SIZE)]
    row.append(sheets.mask_picture(mask, _SIZE))
    row += [shading.shade_voxels(occupied, viewpoint, _SIZE) for viewpoint in _VIEWPOINTS]
    titles = ["image", "silhouette", "input mask"]
    titles += [f"shape at azimuth {azimuth}°" for _, azimuth in _VIEWPOINTS]
    return sheets.grid([row], titles)


def _in_square(image: np.ndarray) -> np.ndarray:
    """Centre an image or a silhouette in a square of `_SIZE` × `_SIZE` pixels, uint8."""
    picture = Image.fromarray(image.astype(np.uint8) * (255 if image.ndim == 2 else 1))
    picture.thumbnail((_SIZE, _SIZE))
    square = Image.new(picture.mode, (_SIZE, _SIZE), "white" if picture.mode == "RGB" else 0)
    square.paste(picture, ((_SIZE - picture.width) // 2, (_SIZE - picture.height) // 2))
    return np.asarray(square)
