"""Contact sheets: titled grids of masks and shapes. Every image is uint8 [H, W, 3]."""

import os
import textwrap
from collections.abc import Sequence
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ptn_semi.utils import files
from ptn_semi.visual.shading import PREDICTED_COLOR, VIEWPOINTS, bounding_radius, shade_voxels

TRUE_COLOR = (226, 168, 84)  # sand
MASK_COLOR = (52, 58, 70)
TEXT_COLOR = (40, 44, 52)


def mask_picture(mask: np.ndarray, size: int = 128) -> np.ndarray:
    """Draw a mask, [H, W, 1] or [H, W] in [0, 1], dark on white, enlarged without smoothing."""
    mask = np.asarray(mask, np.float32)
    mask = np.clip(mask.reshape(mask.shape[:2]), 0, 1)[..., None]
    image = np.round(255 + mask * (np.array(MASK_COLOR, np.float32) - 255)).astype(np.uint8)
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST))


def grid(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str] | None = None,
) -> np.ndarray:
    """Draw a contact sheet on white.

    Args:
      rows: one or more rows of images. All cells are as large as the largest image, and each image
        is in the middle of its cell.
      column_titles: one per column; "" for none.
      row_titles: one per row, at the left; None for none.

    Raises:
      ValueError: if a row has not as many images as there are column titles, or if there are not as
        many row titles as rows.
    """
    height = max(image.shape[0] for row in rows for image in row)
    width = max(image.shape[1] for row in rows for image in row)
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(size=max(11, min(16, width // 9))))
    gap = max(4, width // 32)
    line = sum(font.getmetrics())
    titles = []
    for title in column_titles:
        characters = int(width * len(title) / max(1, font.getlength(title)))  # about one line
        titles.append(textwrap.fill(title, max(1, characters), break_long_words=False))
    top = max(title.count("\n") + 1 for title in titles) * (line + 2) + 2 * gap
    row_titles = [""] * len(rows) if row_titles is None else row_titles
    margin = int(max(font.getlength(title) for title in row_titles))
    left = gap + (margin + gap if margin else 0)
    sheet = Image.new(
        "RGB", (left + len(titles) * (width + gap), top + len(rows) * (height + gap)), "white"
    )
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        middle = left + column * (width + gap) + width // 2
        draw.multiline_text(
            (middle, top - gap), title, TEXT_COLOR, font, anchor="md", spacing=2, align="center"
        )
    for number, (row, row_title) in enumerate(zip(rows, row_titles, strict=True)):
        y = top + number * (height + gap)
        draw.text((gap, y + height // 2), row_title, TEXT_COLOR, font, anchor="lm")
        for column, (image, _) in enumerate(zip(row, titles, strict=True)):
            x = left + column * (width + gap)
            offset = (width - image.shape[1]) // 2, (height - image.shape[0]) // 2
            sheet.paste(Image.fromarray(image), (x + offset[0], y + offset[1]))
    return np.array(sheet)


def save_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write an image, uint8 [H, W, 3] or [H, W], as a PNG, atomically; create a missing folder.

    Raises:
      UserError: if the file cannot be written.
    """
    with files.replacing(path) as partial:
        Image.fromarray(image).save(partial, format="PNG")


def reconstruction_sheet(
    masks: np.ndarray,
    predicted: Sequence[np.ndarray],
    truth: np.ndarray,
    row_titles: Sequence[str] | None = None,
) -> np.ndarray:
    """Draw one row per example: its input mask, the predicted shape and the true shape.

    Args:
      masks: [B, H, W, 1], in [0, 1].
      predicted: B arrays of occupied voxels, bool [n, n, n], axes x, y, z.
      truth: occupied voxels, bool [B, N, N, N].
      row_titles: one per example, e.g. its category; None for none.
    """
    rows = []
    for mask, occupied, true in zip(masks, predicted, truth, strict=True):
        # Both shapes have the same scale.
        half_width = max(bounding_radius(occupied), bounding_radius(true))
        row = [mask_picture(mask)]
        for shape, color in ((occupied, PREDICTED_COLOR), (true, TRUE_COLOR)):
            row += [shade_voxels(shape, view, 128, color, half_width) for view in VIEWPOINTS]
        rows.append(row)
    titles = ["input mask"]
    for name in ("predicted", "true"):
        titles += [f"{name} at azimuth {azimuth:g}°" for _, azimuth in VIEWPOINTS]
    return grid(rows, titles, row_titles)
