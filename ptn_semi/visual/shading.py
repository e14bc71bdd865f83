"""Shaded pictures of voxel shapes.

Axes, viewpoints and image rows are as in `geometry`. Every image is uint8 [H, W, 3].
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from ptn_semi.projection import geometry
from ptn_semi.visual import voxel_faces

Color = tuple[int, int, int] | Callable[[np.ndarray, np.ndarray], np.ndarray]
PREDICTED_COLOR = (92, 143, 214)  # blue
VIEWPOINTS = ((20, 30), (20, 150))  # front left and rear left, from above; degrees

_SUPERSAMPLING = 2
# Direction to the light in camera axes (right, up, backward), over the viewer's left shoulder.
_LIGHT = np.array([-0.45, 0.75, 0.6]) / np.linalg.norm([-0.45, 0.75, 0.6])


def bounding_radius(occupied: np.ndarray) -> float:
    """Return the distance from the grid's centre to the furthest corner of occupied voxels.

    The voxels are bool [N, N, N], and the distance is in grid sides, or 0 if none is occupied. An
    orthographic picture of this half width shows the whole shape from every viewpoint.
    """
    index = np.argwhere(occupied)
    if not len(index):
        return 0.0
    corner = np.abs((index + 0.5) / len(occupied) - 0.5) + 0.5 / len(occupied)
    return float(np.sqrt((corner**2).sum(1).max()))


def shade_voxels(
    voxels: np.ndarray,
    viewpoint: tuple[float, float],
    size: int = 128,
    color: Color = PREDICTED_COLOR,
    half_width: float | None = None,
) -> np.ndarray:
    """Draw a shaded orthographic picture of a voxel shape on white.

    Every visible voxel face is drawn exactly. The light moves with the camera, and faces are darker
    where the shape encloses them.

    Args:
      voxels: occupied voxels, bool [N, N, N].
      viewpoint: elevation and azimuth in degrees.
      size: side of the picture, in pixels.
      color: colour of the material, RGB in 0 to 255; or a function from points and normals
        [F, 3] in object coordinates to colours [F, 3], such as a `colors.Painter`.
      half_width: half of the width that the picture spans, in grid sides. None takes the shape's
        `bounding_radius`. Pass the same value for pictures that are to be compared.
    """
    occupied = np.asarray(voxels, bool)
    N = len(occupied)
    wide = size * _SUPERSAMPLING
    voxel, normal = voxel_faces.exposed_faces(occupied)
    axes = geometry.rotation(np.asarray(viewpoint, np.float64)).numpy()  # right, up, backward
    towards = normal @ axes[2] > 1e-6
    voxel, normal = voxel[towards], normal[towards]
    image = np.full([wide * wide, 3], 255.0)
    if len(voxel):
        # If one cube of a grid hides another, its centre is nearer to the camera.
        order = np.argsort(voxel @ axes[2], kind="stable")
        voxel, normal = voxel[order], normal[order]
        half_width = half_width or bounding_radius(occupied)
        scale = wide / (2 * half_width)  # pixels per grid side
        center = (voxel + 0.5 + 0.5 * normal) / N - 0.5
        # Column and row of each face's centre; pixel centres lie at half-integers.
        position = center @ axes[:2].T * [scale, -scale] + wide / 2
        nearest = np.full(wide * wide, -1)
        for axis in range(3):
            face = np.flatnonzero(normal[:, axis])
            if len(face):
                sides = np.delete(axes[:2], axis, axis=1).T * [scale, -scale] / N  # [2, 2]
                pixel, owner = _parallelograms(position[face], sides, wide)
                np.maximum.at(nearest, pixel, face[owner])  # Later is nearer.
        seen = nearest >= 0
        colors = color(center, normal) if callable(color) else color
        image[seen] = (_light(occupied, voxel, normal, axes)[:, None] * colors)[nearest[seen]]
    image = image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean((1, 3))
    return np.clip(image, 0, 255).round().astype(np.uint8)


def _parallelograms(
    position: np.ndarray, sides: np.ndarray, wide: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pixels of an image, `wide` pixels wide, that parallelograms of the same shape cover.

    Their centres [F, 2] and two side vectors [2, 2] are (columns, rows). Returns the flat index of
    each covered pixel and the parallelogram that it belongs to, both [P].
    """
    reach = np.abs(sides).sum(0) / 2
    first = np.floor(position - reach).astype(int)
    count = np.ceil(2 * reach).astype(int) + 1  # candidate columns and rows
    candidate = np.stack(np.meshgrid(*map(np.arange, count), indexing="ij"), -1).reshape(-1, 2)
    # A candidate is inside if it is at most half a side from the middle along both sides. The
    # distance is affine in the candidate, so faces and candidates are multiplied separately.
    inverse = np.linalg.inv(sides)
    along_face = (first + 0.5 - position) @ inverse
    along_candidate = candidate @ inverse
    inside = np.abs(along_face[:, None, 0] + along_candidate[:, 0]) <= 0.5 + 1e-6
    inside &= np.abs(along_face[:, None, 1] + along_candidate[:, 1]) <= 0.5 + 1e-6
    owner, which = np.nonzero(inside)
    column, row = (first[owner] + candidate[which]).T
    within = (column >= 0) & (column < wide) & (row >= 0) & (row < wide)
    return (row * wide + column)[within], owner[within]


def _light(
    occupied: np.ndarray, voxel: np.ndarray, normal: np.ndarray, axes: np.ndarray
) -> np.ndarray:
    """Compute the brightness of each face, around 1. Hollows and lower parts are darker."""
    # The share of occupied voxels in a cube around each voxel. Voxel i has the index i + pad.
    radius = max(1, len(occupied) // 16)
    pad = radius + 1
    padded = np.pad(occupied.astype(np.float32), pad)
    density = ndimage.uniform_filter(padded, 2 * radius + 1, mode="constant")
    # Faces of a slope alternate between three directions. The density's gradient smooths this.
    gradient = np.stack(np.gradient(density), axis=-1)[tuple((voxel + pad).T)]
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    smooth = 0.7 * normal - 0.3 * gradient / np.maximum(length, 5e-7)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    diffuse = np.clip(smooth @ (_LIGHT @ axes), 0, 1)
    sky = 0.5 + 0.5 * smooth[:, 1]
    # Up to 0.4 of the neighbourhood outside a flat wall is filled. A hollow has more.
    outside = density[tuple((voxel + normal + pad).T)]
    enclosed = np.clip((outside - 0.35) / 0.5, 0, 1)
    height = (voxel[:, 1] + 0.5) / len(occupied)
    return (0.4 + 0.22 * sky + 0.66 * diffuse) * (1 - 0.5 * enclosed) * (0.9 + 0.16 * height)
