"""From image files to voxels, meshes and pictures, with a trained model."""

import collections.abc
import dataclasses
import itertools
import os
import pathlib

import numpy as np
from PIL import Image

from ptn_semi.data import framing
from ptn_semi.inference import exports, silhouettes
from ptn_semi.models import checkpoints
from ptn_semi.models.predictor import Predictor
from ptn_semi.utils import binvox, files
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import shading, sheets, surfaces

SURFACES = {"smooth": surfaces.smooth, "blocky": surfaces.blocky}
# Of checkpoints that were written before training kept it: that of chairs seen all round.
_EXTENT = 0.8
_SIZE = 160  # side of the pictures in a preview, in pixels
_VIEWPOINTS = ((20, 30), (20, 120), (20, 210), (20, 300))


@dataclasses.dataclass(frozen=True)
class Reconstructor:
    """A trained model with what it needs beside its networks.

    Attributes:
      predict: maps masks float32 [B, S, S, 1] to voxels float32 [B, N, N, N] in [0, 1].
      image_size: S.
      threshold: probability from which voxels count as occupied, best on the validation split.
      extent: how the training masks are framed; see `framing.frame`.
    """

    predict: collections.abc.Callable
    image_size: int
    threshold: float
    extent: float


def load(path):
    """The `Reconstructor` in a workdir, a checkpoint's folder, or a SavedModel of `exporting`.

    Raises:
      UserError: there is none.
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
    )


def images_in(paths):
    """The image files that paths name: themselves, or what is in them if they are folders.

    Yields:
      (path, None), or (path, a `UserError`) for a folder without images, or for a link in it that
      leads out of it.
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
                if formats.get(child.suffix.lower()) in silhouettes.FORMATS
            )
        except OSError as error:
            yield path, UserError(f"{path} cannot be listed ({error.strerror}): make it readable")
            continue
        for child in found:
            yield child, files.link_problem(path, child)
        if not found:
            yield path, UserError(f"{path} holds no images: name some, or another folder")


def reconstruct_files(
    reconstructor, paths, output_dir, formats, surface="smooth", threshold=None, framed=False
):
    """Reconstructs the object in each image; one that cannot be used stops no other.

    Args:
      reconstructor: a `Reconstructor`.
      paths: image files, or folders of them.
      output_dir: folder for `<image's name>.<format>` and the preview `<image's name>.png`.
      formats: of `settings.SHAPE_FORMATS`.
      surface: of meshes, a key of `SURFACES`.
      threshold: probability from which voxels are occupied; None for the model's own.
      framed: the images are framed as training masks already.

    Yields:
      (path of an image, files written for it), or (path, a `UserError`).
    """
    threshold = reconstructor.threshold if threshold is None else threshold
    extent = None if framed else reconstructor.extent
    found = list(images_in(paths))
    images = {os.path.realpath(path) for path, _ in found}
    taken = set()
    for path, problem in found:
        if problem:
            yield path, problem
            continue
        try:
            image, silhouette = silhouettes.read(path)
            mask = framing.frame(silhouette, reconstructor.image_size, extent)
            voxels = reconstructor.predict(mask[None])[0]
            check_shape(voxels, threshold, path)
            name = _free_name(path.stem, taken)
            written = [pathlib.Path(output_dir, f"{name}.{kind}") for kind in [*formats, "png"]]
            if os.path.realpath(written[-1]) in images:
                raise UserError(
                    f"the preview of {path} would replace the image {written[-1]}: give another "
                    "--output_dir"
                )
            for file in written[:-1]:
                write_shape(file, voxels, threshold, surface)
            sheets.save_png(written[-1], _preview(image, silhouette, mask, voxels > threshold))
        except UserError as error:
            yield path, error
        else:
            yield path, written


def _free_name(stem, taken):
    """A name for an image's files that no image of another folder has taken; takes it."""
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def check_shape(voxels, threshold, name):
    """Raises a `UserError` where no voxel is over the threshold."""
    if not (voxels > threshold).any():
        raise UserError(
            f"the model sees no shape in {name}: no voxel is over the threshold {threshold:g}; "
            "lower it"
        )


def write_shape(path, voxels, threshold, surface="smooth"):
    """Writes voxels [N, N, N] in the format of the path's suffix, one of `settings.SHAPE_FORMATS`.

    Raises:
      UserError: it cannot be written.
    """
    kind = path.suffix[1:]
    with files.replacing(path) as partial:
        if kind == "npz":
            with open(partial, "wb") as file:
                np.savez_compressed(file, probabilities=voxels, threshold=threshold)
        elif kind == "binvox":
            partial.write_bytes(binvox.write(voxels > threshold))
        else:
            # An .obj would have its colour in a second file.
            options = {"include_texture": False} if kind == "obj" else {}
            data = SURFACES[surface](voxels, threshold).export(file_type=kind, **options)
            partial.write_bytes(data.encode() if isinstance(data, str) else data)


def _preview(image, silhouette, mask, occupied):
    """The image, what was found in it, what the model sees, and the shape from all round."""
    row = [_in_square(image), sheets.mask_picture(_in_square(silhouette) / 255, _SIZE)]
    row.append(sheets.mask_picture(mask, _SIZE))
    row += [shading.shade_voxels(occupied, viewpoint, _SIZE) for viewpoint in _VIEWPOINTS]
    titles = ["image", "silhouette", "input mask"]
    titles += [f"shape at azimuth {azimuth}°" for _, azimuth in _VIEWPOINTS]
    return sheets.grid([row], titles)


def _in_square(image):
    """An image, or a mask, in the middle of a square of `_SIZE` pixels, uint8."""
    picture = Image.fromarray(image.astype(np.uint8) * (255 if image.ndim == 2 else 1))
    picture.thumbnail((_SIZE, _SIZE))
    square = Image.new(picture.mode, (_SIZE, _SIZE), "white" if picture.mode == "RGB" else 0)
    square.paste(picture, ((_SIZE - picture.width) // 2, (_SIZE - picture.height) // 2))
    return np.asarray(square)
