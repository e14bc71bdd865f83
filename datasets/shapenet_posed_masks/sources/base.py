"""What a source of shapes is: a list of items, and the voxels of each."""

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
      path: the file, relative to the source's root, '/' between parts; '' where there is none.
    """

    model_id: str
    category: str
    path: str


class Source(abc.ABC):
    """A list of shapes that can be read one by one.

    Attributes:
      layout: one of LAYOUTS.
      categories: canonical names asked for, sorted; empty for all there are.
      voxel_size: N.
    """

    layout: str

    def __init__(self, categories: Sequence[str], voxel_size: int):
        self.categories = tuple(sorted({category_name(c) for c in categories}))
        self.voxel_size = voxel_size

    @abc.abstractmethod
    def items(self) -> list[Item]:
        """Returns all shapes, sorted by id. Raises UserError where there is nothing to list."""

    @abc.abstractmethod
    def read(self, item: Item) -> np.ndarray:
        """Returns bool [N, N, N] in object axes. Raises UserError naming the file."""

    def settings(self) -> dict:
        """Returns the part of the fingerprint that needs no files."""
        return {
            "layout": self.layout,
            "categories": list(self.categories),
            "voxel_size": self.voxel_size,
        }

    def fingerprint(self) -> dict:
        """Returns what the shapes are made from; equal (as JSON) means equal shapes."""
        return self.settings()


def unknown_category(category: str, present: Sequence[str], where: str) -> UserError:
    """Returns the error for a category that is not there, which lists those that are."""
    there = ", ".join(present) or "none"
    return UserError(f"category {category} is not in {where}: --categories can be {there}")
