"""Masks of the images in a folder, of which nothing else is known, to learn from."""

import collections
import os

import numpy as np
import tqdm

from ptn_semi.data import checks, framing
from ptn_semi.images import folders, silhouettes
from ptn_semi.utils.errors import UserError
from ptn_semi.visual import sheets

_NUM_DRAWN, _COLUMNS = 48, 8


def read(folder: str | os.PathLike, image_size: int, extent: float) -> np.ndarray:
    """Find and frame the objects in the images of a folder, as those of users are.

    Images whose silhouettes are doubtful are left out. What was left out, and why, is printed.

    Args:
      folder: the folder; images in folders below it are not read.
      image_size: S, the side of the masks.
      extent: see `framing.window`.

    Returns:
      Masks, float32 [M, S, S, 1] of zeros and ones, sorted by the images' names.

    Raises:
      UserError: if the folder cannot be read, or no image can be used.
    """
    checks.check_images(folder)
    masks: list[np.ndarray] = []
    left_out: collections.Counter[str] = collections.Counter()
    examples: dict[str, str] = {}
    if note := folders.note_ignored([folder]):
        print(note)
    listed = list(folders.list_images([folder]))
    for path, problem in tqdm.tqdm(listed, desc="finding objects", unit=" images"):
        try:
            if problem:
                raise problem
            found = silhouettes.read(path)
        except UserError as error:
            reason = "cannot be used"
            examples.setdefault(reason, str(error))
        else:
            if not found.warnings:
                masks.append(framing.frame(found.silhouette, image_size, extent))
                continue
            reason = found.warnings[0]
            examples.setdefault(reason, str(path))
        left_out[reason] += 1
    for reason, count in left_out.most_common():
        print(f"{count} of {len(listed)} images are left out: {reason} ({examples[reason]})")
    if not masks:
        raise UserError(
            f"--unlabeled_dir={folder} has no image whose object is sure: give images on plain or "
            "transparent backgrounds, or masks"
        )
    print(f"{len(masks)} unlabeled masks from {folder}")
    return np.stack(masks)


def draw(masks: np.ndarray) -> np.ndarray:
    """Draw some masks [M, S, S, 1], spread evenly, on a contact sheet, uint8 [H, W, 3]."""
    count = min(_NUM_DRAWN, len(masks))
    chosen = masks[np.linspace(0, len(masks) - 1, count).astype(int)]
    pictures = [sheets.mask_picture(mask) for mask in chosen]
    columns = min(_COLUMNS, count)
    rows = [pictures[i : i + columns] for i in range(0, count - columns + 1, columns)]
    return sheets.grid(rows, [""] * columns)
