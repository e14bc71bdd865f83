"""Pictures of what was found in images and of the shape that came of it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ptn_semi.inference.reconstruction import Reconstruction, View
from ptn_semi.visual import shading, sheets

_SIZE = 160  # side of the pictures, in pixels
_VIEWPOINTS = ((20, 30), (20, 120), (20, 210), (20, 300))  # elevation, azimuth in degrees


def draw(
    views: Sequence[View],
    result: Reconstruction,
    color: shading.Color = shading.PREDICTED_COLOR,
) -> np.ndarray:
    """Draw each view's image, its silhouette, the mask that the model sees, and the shape.

    Args:
      views: what was reconstructed.
      result: its shape, which is shown all round for a single view, and for several from each
        one's own viewpoint, if it is known, and from two others.
      color: of the shape; see `shading.shade_voxels`.

    Returns:
      uint8 [height, width, 3].
    """
    around: list[tuple[float, float]] = [*_VIEWPOINTS]
    several = len(views) > 1
    rows = []
    for number, view in enumerate(views):
        if several:
            own = result.fits[number] if result.fits else None
            around = [(own.elevation, own.azimuth)] if own else []
            around += _VIEWPOINTS[:2]
        silhouette = sheets.mask_picture(_in_square(view.silhouette) / 255, _SIZE)
        row = [_in_square(view.image), silhouette, sheets.mask_picture(view.mask, _SIZE)]
        shape = result.occupied
        rows.append(row + [shading.shade_voxels(shape, v, _SIZE, color) for v in around])
    seen = around
    titles = ["image", "silhouette", "input mask"]
    if several and result.fits:
        titles, seen = [*titles, "shape, as seen there"], around[1:]
    titles += [f"shape at azimuth {azimuth:g}°" for _, azimuth in seen]
    return sheets.grid(rows, titles)


def _in_square(image: np.ndarray) -> np.ndarray:
    """Centre an image or a silhouette in a square of `_SIZE` × `_SIZE` pixels, uint8."""
    picture = Image.fromarray(image.astype(np.uint8) * (255 if image.ndim == 2 else 1))
    picture.thumbnail((_SIZE, _SIZE))
    square = Image.new(picture.mode, (_SIZE, _SIZE), "white" if picture.mode == "RGB" else 0)
    square.paste(picture, ((_SIZE - picture.width) // 2, (_SIZE - picture.height) // 2))
    return np.asarray(square)
