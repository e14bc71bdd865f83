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
      result: its shape, which is not empty. It is shown all round for a single view, and for
        several from each one's own viewpoint and from two others.
      color: of the shape; see `shading.shade_voxels`.

    Returns:
      uint8 [height, width, 3].
    """
    several = len(views) > 1
    around = _VIEWPOINTS[:2] if several else _VIEWPOINTS
    rows = []
    for view, fit in zip(views, result.fits, strict=True):
        silhouette = sheets.mask_picture(_in_square(view.silhouette) / 255, _SIZE)
        row = [_in_square(view.image), silhouette, sheets.mask_picture(view.mask, _SIZE)]
        seen_from = [(fit.elevation, fit.azimuth)] * several + [*around]
        row += [shading.shade_voxels(result.occupied, v, _SIZE, color) for v in seen_from]
        rows.append(row)
    titles = ["image", "silhouette", "input mask"] + ["shape, as seen there"] * several
    titles += [f"shape at azimuth {azimuth}°" for _, azimuth in around]
    return sheets.grid(rows, titles)


def _in_square(image: np.ndarray) -> np.ndarray:
    """Centre an image or a silhouette in a square of `_SIZE` × `_SIZE` pixels, uint8."""
    picture = Image.fromarray(image.astype(np.uint8) * (255 if image.ndim == 2 else 1))
    picture.thumbnail((_SIZE, _SIZE))
    square = Image.new(picture.mode, (_SIZE, _SIZE), "white" if picture.mode == "RGB" else 0)
    square.paste(picture, ((_SIZE - picture.width) // 2, (_SIZE - picture.height) // 2))
    return np.asarray(square)
