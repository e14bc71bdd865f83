"""The interface of a source of shapes: it lists items and reads the voxels of each."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources.taxonomy import category_name


@dataclass(frozen=True, order=True)
class Item:
    """One shape.

    Attributes:
      model_id: unique in the source: '<folder>/<model>', a mesh's path, or 'chair_000012'.
      category: canonical name.
      path: the file, relative to the source's root, with '/' between parts; '' if there is none.
    """

    model_id: str
    category: str
    path: str


class Source(abc.ABC):
    """A list of shapes that can be read one by one.

    Attributes:
      layout: one of LAYOUTS.
      categories: canonical names asked for, sorted; empty for all there are.
      voxel_size: N, the voxels along each side of a grid.
    """

    layout: str
    categories: tuple[str, ...]
    voxel_size: int

    def __init__(self, categories: Sequence[str], voxel_size: int):
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
        """Read the voxels of an item.

        Returns:
          bool [N, N, N] in object axes: x, y, z with y up and the front at +x.

        Raises:
          UserError: if the file cannot be used; the message names it.
        """

    def settings(self) -> dict:
        """Return the part of the fingerprint that needs no files."""
        return {
            "layout": self.layout,
            "categories": list(self.categories),
            "voxel_size": self.voxel_size,
        }

    def fingerprint(self) -> dict:
        """Return what the shapes are made from. Equal fingerprints (as JSON) mean equal shapes."""
        return self.settings()


def unknown_category(category: str, present: Sequence[str], where: str) -> UserError:
    """Return the error for a category that is not there.

    Args:
      category: the category asked for.
      present: the categories that are there, which the message lists.
      where: what the message says that the category is not in.
    """
    there = ", ".join(present) or "none"
    return UserError(f"category {category} is not in {where}: --categories can be {there}")
