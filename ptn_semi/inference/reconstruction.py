"""Reconstruction: from silhouettes of an object to its voxels, and how sure they are."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from ptn_semi.data import framing
from ptn_semi.inference import exports, fits
from ptn_semi.inference.silhouettes import Found
from ptn_semi.models import checkpoints, shipped
from ptn_semi.models.predictor import Predictor
from ptn_semi.projection.camera import ELEVATION_RANGE
from ptn_semi.projection.projector import Projector
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import surfaces

# For checkpoints from before training kept the extent. It is the extent of chairs seen all round.
_EXTENT = 0.8
# IoU of shape and mask under which a mask is doubtful. At most one in ten masks of a model's own
# category was under it, and between none (cars) and most (tables, for airplanes) of other ones.
_FITTING = 0.6


@dataclasses.dataclass(frozen=True)
class Reconstructor:
    """A trained model and what is needed to apply it to images.

    Attributes:
      predict: function from masks float32 [B, S, S, 1] to voxels float32 [B, N, N, N] in [0, 1].
      image_size: S, the rows and columns of a mask.
      threshold: probability above which voxels are occupied; the best on the validation split.
      extent: how the training masks are framed; see `framing.frame`.
      fuse: function from masks of several views and their viewpoints to voxels and viewpoints; see
        `Predictor.fuse`.
      projector: the projector that renders the model's voxels; see `resolutions.render`.
      elevation_range: lowest and highest elevation of the training masks, in degrees.
      categories: what the model was trained on.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    image_size: int
    threshold: float
    extent: float
    fuse: Callable[..., tuple[np.ndarray, np.ndarray | None]]
    projector: Projector
    elevation_range: Sequence[float] = ELEVATION_RANGE
    categories: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class View:
    """An object in an image, framed for the model.

    Attributes:
      image: uint8 [H, W, 3].
      silhouette: bool [H, W].
      warnings: why the silhouette may be wrong, in words.
      window: the part of the image that the mask shows.
      mask: what the model sees, float32 [S, S, 1] of zeros and ones.
    """

    image: np.ndarray
    silhouette: np.ndarray
    warnings: tuple[str, ...]
    window: framing.Window
    mask: np.ndarray


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The shape of an object.

    Attributes:
      voxels: probabilities, float32 [N, N, N] in [0, 1].
      threshold: probability above which voxels are occupied.
      occupied: bool [N, N, N], without small components.
      fits: for each view, the viewpoint from which the shape is most like it; empty if unknown.
      warnings: for each view, why it or the shape may be wrong, in words.
    """

    voxels: np.ndarray
    threshold: float
    occupied: np.ndarray
    fits: tuple[fits.Fit, ...]
    warnings: tuple[tuple[str, ...], ...]


def load_model(path: str | os.PathLike | None = None) -> Reconstructor:
    """Load a trained model.

    Args:
      path: a workdir, a checkpoint's folder, or a SavedModel that `exports.export` wrote; None for
        the model that comes with the package.

    Raises:
      UserError: if it holds no model that can be used.
    """
    if path is None:
        model, known = shipped.read()
    elif (pathlib.Path(path) / "saved_model.pb").exists():
        model, known = exports.read(path)
    else:
        checkpoint = checkpoints.find(path)
        model = checkpoints.load_model(checkpoint)
        known = exports.metadata(checkpoint, model)
    predictor = Predictor(model)
    return Reconstructor(
        predictor,
        model.image_size,
        known["threshold"],
        known["extent"] or _EXTENT,
        predictor.fuse,
        model.render_projector,
        model.elevation_range,
        known["categories"],
    )


def view_of(reconstructor: Reconstructor, found: Found, framed: bool = False) -> View:
    """Frame the object in an image as the model's training masks are.

    Args:
      reconstructor: the model.
      found: the image and the silhouette.
      framed: whether the image is framed so already.
    """
    extent = None if framed else reconstructor.extent
    mask = framing.frame(found.silhouette, reconstructor.image_size, extent)
    return View(*found, framing.window(found.silhouette, extent), mask)


def reconstruct(
    reconstructor: Reconstructor,
    views: Sequence[View],
    threshold: float | None = None,
    viewpoints: Sequence[Sequence[float]] | None = None,
) -> Reconstruction:
    """Reconstruct an object from one or several views of it.

    Args:
      reconstructor: the model.
      views: the views.
      threshold: probability above which voxels are occupied; None for the model's own.
      viewpoints: elevation and azimuth of each view, in degrees; None to estimate them.

    Returns:
      The shape, with a warning for each view that it does not fit. It may have no occupied voxels;
      see `check_shape`.
    """
    threshold = reconstructor.threshold if threshold is None else threshold
    masks = np.stack([view.mask for view in views])
    known = None if viewpoints is None else np.array([viewpoints], np.float32)
    voxels, seen_from = reconstructor.fuse(masks[None], known)
    # A model without V estimates none.
    estimates = [None] * len(views) if seen_from is None else seen_from[0]
    occupied = surfaces.drop_small_components(voxels[0], threshold) > threshold
    found: list[fits.Fit] = []
    warnings = [view.warnings for view in views]
    if occupied.any():
        projector = reconstructor.projector
        for number, view in enumerate(views):
            if viewpoints is not None:
                fit = fits.at(occupied, view.mask, projector, viewpoints[number])
            else:
                elevations, estimate = reconstructor.elevation_range, estimates[number]
                fit = fits.best(occupied, view.mask, projector, elevations, estimate)
            found.append(fit)
            if fit.iou < _FITTING:
                warnings[number] = (*warnings[number], _misfit(reconstructor))
    return Reconstruction(voxels[0], threshold, occupied, tuple(found), tuple(warnings))


def _misfit(reconstructor: Reconstructor) -> str:
    *others, last = reconstructor.categories or ("other shapes",)
    known = f"{', '.join(others)} and {last}" if others else last
    return f"the shape does not fit the mask; the model was trained on {known}"


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
