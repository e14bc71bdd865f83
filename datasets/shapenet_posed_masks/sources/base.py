"""The interface of a source of shapes: it lists items and reads the voxels of each."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources.taxonomy import category_name


@dataclass(frozen=True, order=True)
class Item:
    """One shape."""

    model_id: str  # unique in the source: '<folder>/<model>', a mesh's path, or 'chair_000012'
    category: str  # canonical name
    path: str  # of the file, relative to the source's root, with '/' between parts; '' without one


class Source(abc.ABC):
    """A list of shapes that can be read one by one, each as a grid of voxel_size³."""

    layout: str  # one of LAYOUTS

    def __init__(self, categories: Sequence[str], voxel_size: int):
        # Canonical names; empty for all there are.
        self.categories = tuple(sorted({category_name(c) for c in categories}))
        self.voxel_size = voxel_size

    @abc.abstractmethod
    def items(self) -> list[Item]:
        """Return all shapes, sorted by id.

        Raises:
          UserError: if there is nothing to list.
        """

    @abc.abstractmethod
    def read(self, item: Item) -> np.ndarray:
        """Read the voxels of an item, bool [N, N, N], axes x, y, z with y up and the front at +x.

        Raises:
          UserError: if the file cannot be used; the message names it.
        """

    def note(self) -> str:
        """Return a sentence on the files of shapes that are not read; '' where there are none."""
        return ""

    def settings(self) -> dict:
        """Return the part of the fingerprint that needs no files."""
        categories = list(self.categories)
        return {"layout": self.layout, "categories": categories, "voxel_size": self.voxel_size}

    def fingerprint(self) -> dict:
        """Return what the shapes are made from. Equal fingerprints (as JSON) mean equal shapes."""
        return self.settings()


def unknown_category(category: str, present: Sequence[str], where: str) -> UserError:
    """Return the error for a category that is not among those present in a place."""
    there = ", ".join(present) or "none"
    return UserError(f"category {category} is not in {where}: --categories can be {there}")
