"""Photographs with a known outline: shaded shapes before backgrounds as people have them."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from ptn_semi.visual import shading
from shapenet_posed_masks import procedural

HEIGHT, WIDTH = 240, 320
_CATEGORIES = ("chair", "table", "sofa", "car")
PLAIN_KINDS = ("plain", "light", "vignette", "gradient", "shadow", "label", "frame", "tight")
KINDS = (*PLAIN_KINDS, "two", "carpet", "floor")


def _object(rng):
    """Return where an object is, bool [H, W], and its shading, [H, W] in [0, 1]."""
    category = _CATEGORIES[rng.integers(len(_CATEGORIES))]
    voxels = procedural.generate(category, int(rng.integers(1000)), 0, 32)
    viewpoint = (float(rng.uniform(0, 30)), float(rng.uniform(0, 360)))
    side = int(HEIGHT * rng.uniform(0.65, 0.85))
    picture = shading.shade_voxels(voxels, viewpoint, side, (200, 100, 50))
    top, left = rng.integers(2, HEIGHT - side - 1), rng.integers(2, WIDTH - side - 1)
    seen, shade = np.zeros([HEIGHT, WIDTH], bool), np.zeros([HEIGHT, WIDTH])
    window = (slice(top, top + side), slice(left, left + side))
    seen[window] = ~(picture == 255).all(axis=-1)
    shade[window] = np.minimum(picture[..., 0] / 200, 1)
    return seen, shade


def photograph(kind: str, seed: int) -> tuple[Image.Image, np.ndarray]:
    """Return a JPEG of one of `KINDS` and the object's silhouette, bool [H, W]."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    seen, shade = _object(rng)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    behind = np.full(3, rng.choice([245.0, 190.0, 120.0])) + rng.uniform(-8, 8, 3)
    color = rng.uniform(20, behind.min() - 40, 3)
    if kind == "light":
        behind, color = np.full(3, 252.0), np.array([226.0, 224, 218])
    light = np.ones([HEIGHT, WIDTH])
    if kind == "vignette":
        light -= rng.uniform(0.5, 0.9) * ((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2)
    if kind == "gradient":
        light += rng.uniform(-0.35, 0.35) * (y / HEIGHT - 0.5)
    if kind == "shadow":
        bottom, columns = np.nonzero(seen.any(1))[0].max(), np.nonzero(seen.any(0))[0]
        across = (x - columns.mean()) / (0.6 * np.ptp(columns))
        disc = across**2 + ((y - bottom) / 12) ** 2 < 1
        light -= rng.uniform(0.25, 0.5) * ndimage.gaussian_filter(disc.astype(float), 6)
    material = color * shade[..., None]
    if kind == "label":  # nearly in the background's colour
        inner = np.argwhere(ndimage.binary_erosion(seen, iterations=6))
        row, column = inner[rng.integers(len(inner))]
        label = (abs(y - row) < 5) & (abs(x - column) < 5) & seen
        material[label] = behind * 0.94
    pixels = np.where(seen[..., None], material, behind * light[..., None])
    if kind == "floor":
        line = HEIGHT * rng.uniform(0.4, 0.7) + (x - WIDTH / 2) * rng.uniform(-0.06, 0.06)
        floor = behind + rng.choice([-1, 1]) * rng.uniform(15, 40, 3)
        pixels = np.where(~seen[..., None] & (y > line)[..., None], floor, pixels)
    if kind == "two":
        pixels[4:50, 4:50] = color
        seen[2:52, 2:52] = False
        pixels[2:4, 2:52] = pixels[50:52, 2:52] = behind
        pixels[2:52, 2:4] = pixels[2:52, 50:52] = behind
    pixels = ndimage.gaussian_filter(pixels, (0.6, 0.6, 0)) + rng.normal(0, 1.5, pixels.shape)
    if kind == "frame":
        for inset in (4, 5):
            inside = pixels[inset : HEIGHT - inset, inset : WIDTH - inset]
            inside[[0, -1]] = inside[:, [0, -1]] = 30
    if kind == "tight":
        rows, columns = np.nonzero(seen.any(1))[0], np.nonzero(seen.any(0))[0]
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        pixels, seen = pixels[box], seen[box]
    if kind == "carpet":
        pattern = ndimage.gaussian_filter(rng.normal(0, 1, pixels.shape), (3, 3, 0)) * 400
        pixels = np.where(seen[..., None], pixels, 120 + pattern)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return Image.open(file), seen
