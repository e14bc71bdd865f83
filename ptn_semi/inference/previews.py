"""Pictures of what was found in images and of the shape that was reconstructed from them."""

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

    The shape must not be empty. It is shown from all sides for a single view, and for several from
    each one's own viewpoint and from two others. Its colour is as in `shading.shade_voxels`, and
    the picture is uint8 [H, W, 3].
    """
    several = len(views) > 1
    around = _VIEWPOINTS[:2] if several else _VIEWPOINTS
    rows = []
    for view, fit in zip(views, result.fits, strict=True):
        silhouette = _pad_to_square(view.silhouette.astype(np.uint8) * 255, "black") / 255
        row = [_pad_to_square(view.image, "white")]
        row += [sheets.mask_picture(mask, _SIZE) for mask in (silhouette, view.mask)]
        seen_from = [(fit.elevation, fit.azimuth)] * several + [*around]
        row += [shading.shade_voxels(result.shape.occupied, v, _SIZE, color) for v in seen_from]
        rows.append(row)
    titles = ["image", "silhouette", "input mask"] + ["shape, as seen there"] * several
    titles += [f"shape at azimuth {azimuth}°" for _, azimuth in around]
    return sheets.grid(rows, titles)


def _pad_to_square(image: np.ndarray, color: str) -> np.ndarray:
    """Scale an image, uint8, to fit a square of `_SIZE` × `_SIZE` pixels, and centre it there."""
    scale = _SIZE / max(image.shape[:2])
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])  # may be very thin
    picture = Image.fromarray(image).resize((width, height))
    square = Image.new(picture.mode, (_SIZE, _SIZE), color)
    square.paste(picture, ((_SIZE - width) // 2, (_SIZE - height) // 2))
    return np.asarray(square)
