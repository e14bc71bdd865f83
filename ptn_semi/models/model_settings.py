"""Settings of a model that its networks are built from.

This module does not import TensorFlow.
"""

import dataclasses
from typing import Any

from ptn_semi.models import architectures
from ptn_semi.models.architectures import Architecture
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera, ViewRanges
from ptn_semi.projection.rays import POOLINGS


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Everything that decides which networks a model has and how they reconstruct.

    Attributes:
      architecture: sizes of the networks.
      voxel_size: N, the side of the grid.
      image_size: S, the rows and columns of a mask.
      camera: the camera of the masks.
      pooling: how the projector pools the voxels on a ray, one of `rays.POOLINGS`.
      has_viewpoint_estimator: whether there is a viewpoint estimator V.
      has_refiner: whether there is a refiner R, which needs V.
      flip_augmentation: flip test-time augmentation: average the networks' outputs for a mask and
        for its mirror image, mirrored back.
      mirror_symmetric: whether shapes are taken to be symmetric about the plane z = 0.
      elevation_range: lowest and highest elevation of the masks, in degrees.
      azimuth_range: lowest and highest azimuth of the masks, in degrees.
      roll_range, distance_range, framed_share: see `ViewRanges`.

    Raises:
      ValueError: if a size or a choice is not supported.
    """

    architecture: Architecture
    voxel_size: int = 32
    image_size: int = 32
    camera: Camera = dataclasses.field(default_factory=Camera)
    pooling: str = "absorption"
    has_viewpoint_estimator: bool = False
    has_refiner: bool = False
    flip_augmentation: bool = False
    mirror_symmetric: bool = False
    elevation_range: tuple[float, float] = ELEVATION_RANGE
    azimuth_range: tuple[float, float] = AZIMUTH_RANGE
    roll_range: tuple[float, float] = (0.0, 0.0)
    distance_range: tuple[float, float] = (0.0, 0.0)
    framed_share: float = 0.0

    def __post_init__(self) -> None:
        sizes, (low, high) = architectures.VOXEL_SIZES, architectures.IMAGE_SIZES
        if self.voxel_size not in sizes:
            raise ValueError(f"the voxel size is one of {sizes}, not {self.voxel_size}")
        if not low <= self.image_size <= high:
            raise ValueError(f"the image size is {low} to {high}, not {self.image_size}")
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {self.pooling!r}")
        if self.has_refiner and not self.has_viewpoint_estimator:
            raise ValueError("the refiner needs the viewpoint estimator")

    @property
    def views(self) -> ViewRanges:
        """The ranges of the masks' viewpoints."""
        return ViewRanges.of(self)

    @property
    def generated_size(self) -> int:
        """The side of G's voxels, which R corrects at N."""
        return architectures.REFINED_SIZE if self.has_refiner else self.voxel_size

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelSettings":
        """Build the settings from `to_dict()`, or from what JSON makes of it.

        Raises:
          ValueError, TypeError, KeyError: if the values are those of another program or version.
        """
        sizes = {name: _plain(value) for name, value in values["architecture"].items()}
        rest = {name: _plain(value) for name, value in values.items()}
        return cls(
            **rest | {"architecture": Architecture(**sizes), "camera": Camera(**values["camera"])}
        )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
