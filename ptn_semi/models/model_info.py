"""What is known of a trained model beside its weights.

This module does not import TensorFlow.
"""

import dataclasses
from typing import Any

import ptn_semi
from ptn_semi.models.model_settings import ModelSettings

_AXES = (
    "voxels [x, y, z]: y up, front +x; viewpoint: elevation, azimuth in degrees, and of those with "
    "7 numbers roll in degrees, distance, half width, right, up in grid sides"
)


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What users of a trained model need to know beside its weights.

    Attributes:
      settings: what the networks are built from.
      threshold: probability above which voxels are occupied; the best on the validation split.
      extent: how training masks are framed: the median length of the longer side of an object's
        bounding box, as a share of the mask's side.
      categories: what the model was trained on.
      step: number of training steps done.

    Raises:
      ValueError: if the threshold or the extent is out of range.
    """

    settings: ModelSettings
    threshold: float
    extent: float
    categories: tuple[str, ...]
    step: int

    def __post_init__(self) -> None:
        if not (0 < self.threshold < 1 and 0 < self.extent <= 1):
            raise ValueError(f"threshold {self.threshold}, extent {self.extent}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for the metadata of files that other programs read.

        Sizes and the camera stand beside the settings too, where programs look for them first.
        """
        return {
            "package": f"ptn_semi {ptn_semi.__version__}",
            "step": self.step,
            "threshold": self.threshold,
            "extent": self.extent,
            "categories": list(self.categories),
            "image_size": self.settings.image_size,
            "voxel_size": self.settings.voxel_size,
            "camera": self.settings.camera.to_dict(),
            "settings": self.settings.to_dict(),
            "axes": _AXES,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelInfo":
        """Build the record from `to_dict()`, or from what JSON makes of it.

        Raises:
          ValueError, TypeError, KeyError: if the values are those of another program or version.
        """
        return cls(
            ModelSettings.from_dict(values["settings"]),
            values["threshold"],
            values["extent"],
            tuple(values["categories"]),
            values["step"],
        )
