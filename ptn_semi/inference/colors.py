"""Colours of a shape's surface, from the images that it was reconstructed from."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import ndimage, spatial

from ptn_semi.data import framing
from ptn_semi.inference.reconstruction import View
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera
from ptn_semi.shapes.fits import Fit

_SIZE = 128  # pixels of the square that an image is scaled to; a 64³ grid has 64 voxels along it
_RIM = 0.02  # of the square root of the silhouette's area: mixed with the background, and left out
_SYMMETRIC = 0.7  # IoU with the mirror image, from which hidden sides take the opposite colours
_CLEARANCE = 1.25  # voxels from the surface to where a line of sight must be free
_STEP = 0.5  # voxels, along a line of sight
_CLOSE = 3.0  # voxels; bumps of the surface hide points between others that are seen
_MIN_FACING = 0.1  # cosine, below which a surface is too edge-on to show its colour


@dataclasses.dataclass(frozen=True)
class Painter:
    """Gives points of a surface the colours that the images show there.

    A point takes the mean colour of the images that see it, in which images that face it weigh
    more. If none sees it and the shape is symmetric, it takes the colour of its mirror image on the
    object's other side. Otherwise it takes the colour of a point close by, or the mean of all.
    """

    textures: Sequence[np.ndarray]  # the colours of the images; see `make_texture`
    fits: Sequence[Fit]  # the viewpoints of the images
    occupied: np.ndarray  # the shape, bool [N, N, N]
    camera: Camera  # of the model's masks

    def __call__(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Return the RGB colours, uint8 [V, 3], of points of the surface with outward normals.

        Points and normals are [V, 3], in object coordinates and grid sides.
        """
        sums, weights = self._look_up(points, normals)
        mirrored = self.occupied[:, :, ::-1]
        overlap = (self.occupied & mirrored).sum() / max((self.occupied | mirrored).sum(), 1)
        if overlap >= _SYMMETRIC:
            flip = np.array([1, 1, -1])
            hidden = weights == 0
            opposite = self._look_up(points[hidden] * flip, normals[hidden] * flip)
            sums[hidden], weights[hidden] = opposite
        seen = weights > 0
        colors = sums / np.where(seen, weights, 1)[:, None]
        # Where nothing is seen at all, the mean of the images stands in.
        everywhere = np.concatenate([texture.reshape(-1, 3) for texture in self.textures])
        colors[~seen] = (colors[seen] if seen.any() else everywhere).mean(axis=0)
        if seen.any() and not seen.all():
            distance, nearest = spatial.KDTree(points[seen]).query(points[~seen])
            close = distance < _CLOSE / len(self.occupied)
            colors[np.flatnonzero(~seen)[close]] = colors[seen][nearest[close]]
        return np.round(colors).astype(np.uint8)

    def _look_up(self, points, normals):
        """Return the weighted sums of the colours [V, 3] that images show, and the weights [V]."""
        sums, weights = np.zeros([len(points), 3]), np.zeros(len(points))
        for fit, texture in zip(self.fits, self.textures, strict=True):
            back = geometry.rotation(fit.viewpoint).numpy()[2]
            towards = np.broadcast_to(back, points.shape)
            if self.camera.perspective:
                towards = self.camera.distance * back - points
                towards /= np.linalg.norm(towards, axis=1, keepdims=True)
            facing = (normals * towards).sum(axis=1)
            facing = np.where(facing < _MIN_FACING, 0, facing)
            facing *= self._is_free(points, towards)
            matrix = geometry.projection_matrix(fit.viewpoint, self.camera, _SIZE)
            u, v, w = matrix @ np.c_[points, np.ones(len(points))].T
            column, row = (np.clip(place / w, 0, _SIZE - 1).astype(int) for place in (u, v))
            sums += facing[:, None] * texture[row, column]
            weights += facing
        return sums, weights

    def _is_free(self, points, towards):
        """Return whether the lines from points towards the camera meet no occupied voxel."""
        size = len(self.occupied)
        free = np.ones(len(points), bool)
        for distance in np.arange(_CLEARANCE, 1.8 * size, _STEP):
            place = np.floor((points + 0.5) * size + distance * towards).astype(int)
            inside = ((place >= 0) & (place < size)).all(axis=1)
            free &= ~(inside & self.occupied[tuple(place.clip(0, size - 1).T)])
        return free


def has_colors(view: View) -> bool:
    """Return whether an object has more than one colour in an image. In a mask it has one."""
    colors = view.image[view.silhouette]
    return bool((colors != colors[0]).any())


def make_texture(view: View) -> np.ndarray:
    """Return the object's colours in the frame of the view's mask, RGB, uint8 [128, 128, 3].

    They are extended beyond the object.
    """
    inside = view.silhouette
    rim = round(_RIM * inside.sum() ** 0.5)
    if rim and (core := ndimage.binary_erosion(inside, iterations=rim)).any():
        inside = core
    left, top, right, bottom = view.window
    step = max(1, int((right - left) / (4 * _SIZE)))  # large images are reduced first
    window = (left / step, top / step, right / step, bottom / step)

    def scale(channel):
        reduced = Image.fromarray(channel.astype(np.float32)).reduce(step)
        return framing.resample(np.asarray(reduced), window, _SIZE)

    covered = scale(inside)
    channels = [scale(view.image[..., channel] * inside) for channel in range(3)]
    texture = np.stack(channels, axis=-1) / np.maximum(covered, 1e-6)[..., None]
    nearest = ndimage.distance_transform_edt(
        covered < min(0.5, covered.max()), return_distances=False, return_indices=True
    )
    return np.round(texture[tuple(nearest)]).astype(np.uint8)
