"""Reconstruction: from silhouettes of an object to its voxels, and how sure they are."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from ptn_semi.data import framing
from ptn_semi.images.silhouettes import Found
from ptn_semi.inference import exports
from ptn_semi.models import checkpoints, mask_batches, pretrained
from ptn_semi.models.checkpoint_paths import holds_pretrained, local_model
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.networks import Networks
from ptn_semi.shapes import fits, predictions, whole
from ptn_semi.shapes.whole import Shape
from ptn_semi.utils.errors import UserError

# IoU of shape and mask under which a mask is doubtful. At most one in ten masks of a model's own
# category was under it, and between none (cars) and most (tables, for airplanes) of other ones.
_EXTENTS = (0.8, 0.88, 0.96, 1.0)  # that are tried
_MIN_FIT = 0.6


@dataclasses.dataclass(frozen=True)
class Reconstructor:
    """A trained model, ready to be applied to images."""

    networks: Networks
    info: ModelInfo

    @property
    def image_size(self) -> int:
        """S, the rows and columns of a mask."""
        return self.info.settings.image_size

    @property
    def threshold(self) -> float:
        """Probability above which voxels are occupied."""
        return self.info.threshold

    @property
    def extent(self) -> float:
        """How training masks are framed; see `framing.frame`."""
        return self.info.extent

    def frame(self, silhouette: np.ndarray) -> np.ndarray:
        """Frame a silhouette, as `framing.frame` does, the way that suits the model best.

        Returns and raises what that does.
        """
        return framing.frame(silhouette, self.image_size, self.choose_extent(silhouette))

    def choose_extent(self, silhouette: np.ndarray) -> float:
        """Choose how large to frame a silhouette; see `framing.window`.

        Nobody knows how large an object is in the grid that a model was trained on. Unless it was
        trained on framed masks, several sizes are tried, and the one counts at which the model's
        reconstruction explains the mask best.
        """
        settings = self.info.settings
        if not settings.has_refiner or settings.views.num_values > 2:
            return self.extent
        sizes = sorted({*_EXTENTS, self.extent})
        masks = [framing.frame(silhouette, self.image_size, extent) for extent in sizes]
        return sizes[predictions.best_explained(self.networks, np.stack(masks))]

    def predict(self, masks: np.ndarray) -> np.ndarray:
        """Predict voxels, float32 [B, N, N, N] in [0, 1], from masks [B, S, S, 1] in [0, 1].

        Raises:
          ValueError: if the masks have another shape, there are none, or they hold other numbers.
        """
        return self.networks.predict(masks)

    def predict_shapes(self, masks: np.ndarray) -> list[Shape]:
        """Predict the shapes of B objects as `reconstruct` writes them, from one mask of each.

        Takes and raises what `predict` does. `shape.occupied` is bool [N, N, N].
        """
        masks = mask_batches.check(masks, self.image_size)
        return predictions.predict_shapes(self.networks, masks[:, None], self.threshold)[0]


@dataclasses.dataclass(frozen=True)
class View:
    """An object in an image, framed for the model."""

    image: np.ndarray  # uint8 [H, W, 3]
    silhouette: np.ndarray  # bool [H, W]
    warnings: tuple[str, ...]  # why the silhouette may be wrong, in words
    window: framing.Window  # the part of the image that the mask shows
    mask: np.ndarray  # what the model sees, float32 [S, S, 1] of zeros and ones


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The shape of an object."""

    voxels: np.ndarray  # probabilities, float32 [N, N, N] in [0, 1]
    masks: np.ndarray  # of the views, float32 [K, S, S, 1]
    viewpoints: np.ndarray  # [K, 2 or 7]; see `geometry`
    shape: Shape  # as written
    fits: tuple[fits.Fit, ...]  # of each view, by the probabilities
    warnings: tuple[tuple[str, ...], ...]  # of each view: why it or the shape may be wrong


def load_model(path: str | os.PathLike | None = None) -> Reconstructor:
    """Load a model that the package comes with, that was trained here, or that others published.

    Args:
      path: a workdir, a checkpoint's folder, or what `exports.export` wrote as `saved_model` or
        `pretrained`. hf://user/model is one of the latter in a repository of the Hugging Face Hub,
        which is downloaded once. None for the pretrained model that comes with the package.

    Raises:
      UserError: if the path holds no model that can be used, or it cannot be downloaded.
    """
    if path is None:
        return Reconstructor(*pretrained.read())
    folder = local_model(path)
    if holds_pretrained(folder):
        return Reconstructor(*pretrained.read(folder))
    if (folder / "saved_model.pb").exists():
        return Reconstructor(*exports.read(folder))
    checkpoint = checkpoints.find(folder)
    return Reconstructor(checkpoints.load_networks(checkpoint), checkpoint.info)


def frame_view(reconstructor: Reconstructor, found: Found, framed: bool = False) -> View:
    """Frame the object in an image as suits the model, unless it is `framed` so already."""
    extent = None if framed else reconstructor.choose_extent(found.silhouette)
    mask = framing.frame(found.silhouette, reconstructor.image_size, extent)
    return View(*found, framing.window(found.silhouette, extent), mask)


def reconstruct(
    reconstructor: Reconstructor,
    views: Sequence[View],
    threshold: float | None = None,
    viewpoints: Sequence[Sequence[float]] | None = None,
    shapes: str = "whole",
) -> Reconstruction:
    """Reconstruct an object from one or several views of it.

    Args:
      reconstructor: the model.
      views: see `frame_view`.
      threshold: probability above which voxels are occupied; None for the model's own, or a lower
        one if the shape then fits its masks better; see `whole.whole_shape`.
      viewpoints: elevation and azimuth of each view, in degrees; None to estimate them.
      shapes: one of `settings.SHAPES`.

    Returns:
      The shape, with a warning for each view that its probabilities do not fit. It may have no
      occupied voxels; see `check_shape`.

    Raises:
      UserError: if viewpoints are given to a model without R whose views have their own cameras.
    """
    networks, settings = reconstructor.networks, reconstructor.info.settings
    if viewpoints is not None and settings.views.num_values > 2 and not settings.has_refiner:
        raise UserError("this model knows no camera for given viewpoints: leave out --viewpoints")
    masks = np.stack([view.mask for view in views])
    known = None if viewpoints is None else np.array([viewpoints], np.float32)
    (voxels,), used = networks.predict_views(masks[None], known)
    # The fit is that of the probabilities: a whole shape shows any mask, even one of another kind.
    plain = whole.threshold_shape(voxels, threshold or reconstructor.threshold).occupied
    projector, ranges = networks.render_projector, networks.settings.views
    found: list[fits.Fit] = []
    warnings = [view.warnings for view in views]
    for number, view in enumerate(views):
        if known is None or used is None:
            estimate = None if used is None else used[0, number]
            fit = fits.search(plain, view.mask, projector, ranges, estimate)
        else:
            fit = fits.measure(plain, view.mask, projector, used[0, number])
        found.append(fit)
        if fit.iou < _MIN_FIT:
            *others, last = reconstructor.info.categories or ("other shapes",)
            learned = f"{', '.join(others)} and {last}" if others else last
            mismatch = f"the shape does not fit the mask; the model was trained on {learned}"
            warnings[number] = (*warnings[number], mismatch)
    # A model without V estimates no viewpoints.
    seen_from = np.stack([fit.viewpoint for fit in found]) if used is None else used[0]
    shape = make_shape(reconstructor, voxels, masks, seen_from, threshold, shapes)
    return Reconstruction(voxels, masks, seen_from, shape, tuple(found), tuple(warnings))


def make_shape(
    reconstructor: Reconstructor,
    voxels: np.ndarray,
    masks: np.ndarray,
    viewpoints: np.ndarray,
    threshold: float | None = None,
    shapes: str = "whole",
) -> Shape:
    """Make the shape that is written from probabilities [N, N, N]; see `reconstruct`.

    Args:
      reconstructor: the model that predicted them.
      voxels: the probabilities.
      masks: [K, S, S, 1].
      viewpoints: [K, 2 or 7]; see `geometry`.
      threshold, shapes: as in `reconstruct`.
    """
    highest = reconstructor.threshold if threshold is None else threshold
    if shapes == "threshold":
        return whole.threshold_shape(voxels, highest)
    lowest = whole.LOWEST if threshold is None else threshold
    return predictions.whole_shape(
        reconstructor.networks, voxels, masks, viewpoints, highest, lowest
    )


def check_shape(shape: Shape, name: str | os.PathLike) -> None:
    """Check that the shape of an object in an image has occupied voxels.

    Raises:
      UserError: if no voxel is above the threshold.
    """
    if not shape.occupied.any():
        raise UserError(
            f"the model sees no shape in {name}: no voxel is over the threshold "
            f"{shape.threshold:g}; lower the threshold"
        )
