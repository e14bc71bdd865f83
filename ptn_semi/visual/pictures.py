"""Pictures of masks and voxel shapes, with NumPy and Pillow alone.

Axes, viewpoints and image rows are those of `geometry`; every image is uint8 [H, W, 3].
"""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ptn_semi.projection import geometry
from ptn_semi.utils import files

PREDICTED_COLOR = (92, 143, 214)  # blue
TRUE_COLOR = (226, 168, 84)  # sand
MASK_COLOR = (52, 58, 70)
TEXT_COLOR = (40, 44, 52)
VIEWPOINTS = ((20, 30), (20, 150))  # front left and rear left, from above; degrees

_SUPERSAMPLING = 2
# Towards the light, in camera axes (right, up, backward): it stays over the viewer's left shoulder.
_LIGHT = np.array([-0.45, 0.75, 0.6]) / np.linalg.norm([-0.45, 0.75, 0.6])


def exposed_faces(occupied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unit faces between an occupied voxel and an empty one or the outside.

    Args:
      occupied: [N, N, N] bool, axes x, y, z.

    Returns:
      The occupied voxel of each face, [F, 3] int, and its outward normal, [F, 3] int, one of
      (±1, 0, 0), (0, ±1, 0), (0, 0, ±1).
    """
    padded = np.pad(np.asarray(occupied, bool), 1)
    voxels, normals = [], []
    for axis in range(3):
        for sign in (-1, 1):
            # The padding keeps what np.roll wraps around empty.
            exposed = padded & ~np.roll(padded, -sign, axis)
            voxel = np.argwhere(exposed) - 1
            voxels.append(voxel)
            normals.append(np.broadcast_to(sign * np.eye(3, dtype=int)[axis], voxel.shape))
    return np.concatenate(voxels), np.concatenate(normals)


def bounding_radius(occupied: np.ndarray) -> float:
    """The grid centre's distance to the furthest corner of an occupied voxel, in grid sides.

    An orthographic picture of this half width shows the whole shape from everywhere. 0 if empty.
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
    color: tuple[int, int, int] = PREDICTED_COLOR,
    half_width: float | None = None,
) -> np.ndarray:
    """A shaded orthographic picture of a voxel shape on white.

    Every visible voxel face is drawn exactly, with a light that moves with the camera and darker
    where the shape encloses it.

    Args:
      voxels: [N, N, N] bool, occupied.
      viewpoint: elevation and azimuth in degrees.
      size: side of the picture, in pixels.
      color: of the material, RGB 0 to 255.
      half_width: half of what the picture spans, in grid sides; None takes what just holds the
        shape from everywhere. Give one to pictures that are to be compared.

    Returns:
      uint8 [size, size, 3].
    """
    occupied = np.asarray(voxels, bool)
    N = len(occupied)
    wide = size * _SUPERSAMPLING
    voxel, normal = exposed_faces(occupied)
    axes = geometry.rotation(np.asarray(viewpoint, np.float64)).numpy()  # right, up, backward
    towards = normal @ axes[2] > 1e-6
    voxel, normal = voxel[towards], normal[towards]
    image = np.full([wide * wide, 3], 255.0)
    if len(voxel):
        # On a grid, of two cubes of which one hides the other, the hiding centre is nearer.
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
                np.maximum.at(nearest, pixel, face[owner])  # later in the order is nearer
        seen = nearest >= 0
        image[seen] = (_light(occupied, voxel, normal, axes)[:, None] * color)[nearest[seen]]
    image = image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean((1, 3))
    return np.clip(image, 0, 255).round().astype(np.uint8)


def mask_picture(mask: np.ndarray, size: int = 128) -> np.ndarray:
    """A mask as a dark silhouette on white, enlarged without smoothing.

    Args:
      mask: [H, W, 1] or [H, W] in [0, 1].
      size: side of the picture, in pixels.

    Returns:
      uint8 [size, size, 3].
    """
    mask = np.asarray(mask, np.float32)
    mask = np.clip(mask.reshape(mask.shape[:2]), 0, 1)[..., None]
    image = np.round(255 + mask * (np.float32(MASK_COLOR) - 255)).astype(np.uint8)
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST))


def grid(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str] | None = None,
) -> np.ndarray:
    """A labelled contact sheet on white.

    Args:
      rows: images uint8 [H, W, 3]; each sits in the middle of a cell of the largest one's size.
      column_titles: one per column; "" for none.
      row_titles: one per row, at the left.

    Returns:
      uint8 [height, width, 3].

    Raises:
      ValueError: no images, rows of different lengths, or a wrong number of titles.
    """
    rows = [list(row) for row in rows]
    if not rows or not rows[0]:
        raise ValueError("a grid needs at least one image")
    if any(len(row) != len(column_titles) for row in rows):
        raise ValueError(
            f"every row of a grid needs {len(column_titles)} images, one per column title; there "
            f"are rows of {sorted({len(row) for row in rows})}"
        )
    if row_titles is not None and len(row_titles) != len(rows):
        raise ValueError(f"{len(row_titles)} row titles were given for {len(rows)} rows")
    height = max(image.shape[0] for row in rows for image in row)
    width = max(image.shape[1] for row in rows for image in row)
    font = ImageFont.load_default(size=max(11, min(16, width // 9)))
    gap = max(4, width // 32)
    line = sum(font.getmetrics())
    titles = [_wrap(title, font, width) for title in column_titles]
    top = max(title.count("\n") + 1 for title in titles) * (line + 2) + 2 * gap
    left = gap
    if row_titles is not None:
        left += gap + int(max(font.getlength(title) for title in row_titles))
    sheet = Image.new(
        "RGB",
        (left + len(titles) * (width + gap), top + len(rows) * (height + gap)),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles):
        middle = left + column * (width + gap) + width // 2
        draw.multiline_text(
            (middle, top - gap), title, TEXT_COLOR, font, anchor="md", spacing=2, align="center"
        )
    for number, row in enumerate(rows):
        y = top + number * (height + gap)
        if row_titles is not None:
            draw.text((gap, y + height // 2), row_titles[number], TEXT_COLOR, font, anchor="lm")
        for column, image in enumerate(row):
            x = left + column * (width + gap)
            offset = (width - image.shape[1]) // 2, (height - image.shape[0]) // 2
            sheet.paste(Image.fromarray(image), (x + offset[0], y + offset[1]))
    return np.array(sheet)


def save_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes a PNG that is either whole or not there; makes its folder.

    Args:
      path: of the file; one that is there is replaced.
      image: uint8 [H, W, 3] or [H, W].

    Raises:
      UserError: it cannot be written.
    """
    with files.replacing(path) as partial:
        Image.fromarray(image).save(partial, format="PNG")


def reconstruction_sheet(
    masks: np.ndarray,
    predicted: np.ndarray,
    truth: np.ndarray,
    threshold: float,
    viewpoints: Sequence[tuple[float, float]] = VIEWPOINTS,
    row_titles: Sequence[str] | None = None,
    size: int = 128,
) -> np.ndarray:
    """One row per example: its input mask, then the predicted and the true shape.

    Args:
      masks: [B, H, W, 1] in [0, 1].
      predicted: [B, N, N, N] probabilities; shown occupied where above `threshold`.
      truth: [B, N, N, N] bool.
      threshold: of the predicted probabilities.
      viewpoints: elevation and azimuth in degrees of the pictures of each shape.
      row_titles: one per example, as its category.
      size: side of each picture, in pixels.

    Returns:
      uint8 [height, width, 3].
    """
    rows = []
    for mask, probability, true in zip(masks, predicted, truth, strict=True):
        occupied = np.asarray(probability) > threshold
        # The same scale for both shapes.
        half_width = max(bounding_radius(occupied), bounding_radius(true))
        row = [mask_picture(mask, size)]
        for shape, color in ((occupied, PREDICTED_COLOR), (true, TRUE_COLOR)):
            row += [shade_voxels(shape, view, size, color, half_width) for view in viewpoints]
        rows.append(row)
    titles = [
        f"{name} at azimuth {azimuth:g}°"
        for name in ("predicted", "true")
        for _, azimuth in viewpoints
    ]
    return grid(rows, ["input mask", *titles], row_titles)


def _parallelograms(
    position: np.ndarray, sides: np.ndarray, wide: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of equal parallelograms.

    Args:
      position: [F, 2] column and row of their centres.
      sides: [2, 2] their two side vectors, (columns, rows) each.
      wide: side of the image, in pixels.

    Returns:
      Flat index of each covered pixel and the parallelogram it belongs to, [P] each.
    """
    reach = np.abs(sides).sum(0) / 2
    first = np.floor(position - reach).astype(int)
    count = np.ceil(2 * reach).astype(int) + 1  # candidate columns and rows
    candidate = np.stack(np.meshgrid(*map(np.arange, count), indexing="ij"), -1).reshape(-1, 2)
    # How far each candidate is along the two sides, from the middle: inside up to a half. It is
    # affine in the candidate, so faces and candidates are multiplied out apart.
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
    """Brightness of each face, around 1: soft light, less of it in hollows and further down."""
    radius = max(1, len(occupied) // 16)
    density = _box_mean(occupied, radius)
    # Faces of a slope alternate between three directions; the density's gradient smooths that.
    i, j, k = (voxel + radius + 1).T
    gradient = np.stack(
        [
            density[i + 1, j, k] - density[i - 1, j, k],
            density[i, j + 1, k] - density[i, j - 1, k],
            density[i, j, k + 1] - density[i, j, k - 1],
        ],
        axis=-1,
    )
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    smooth = 0.7 * normal - 0.3 * gradient / np.maximum(length, 1e-6)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    diffuse = np.clip(smooth @ (_LIGHT @ axes), 0, 1)
    sky = 0.5 + 0.5 * smooth[:, 1]
    # Outside a flat wall's face up to 0.4 of the neighbourhood is filled; more is a hollow.
    outside = density[tuple((voxel + normal + radius + 1).T)]
    enclosed = np.clip((outside - 0.35) / 0.5, 0, 1)
    height = (voxel[:, 1] + 0.5) / len(occupied)
    return (0.4 + 0.22 * sky + 0.66 * diffuse) * (1 - 0.5 * enclosed) * (0.9 + 0.16 * height)


def _box_mean(occupied: np.ndarray, radius: int) -> np.ndarray:
    """Share of occupied voxels in the cube around each voxel.

    Args:
      occupied: [N, N, N].
      radius: half the cube's side, less half a voxel.

    Returns:
      [N + 2 radius + 2] cubed: voxel i is at i + radius + 1.
    """
    side = 2 * radius + 1
    mean = np.pad(occupied.astype(np.float32), side + 1)
    for axis in range(3):
        total = np.cumsum(mean, axis=axis)
        length = total.shape[axis]
        ahead = np.take(total, range(side, length), axis=axis)
        mean = (ahead - np.take(total, range(length - side), axis=axis)) / side
    return mean


def _wrap(title: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Breaks a title between words so that its lines fit the width where they can."""
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)
