"""The cameras that look at the voxel grid. `geometry` defines the axes and viewpoints.

This module does not import TensorFlow.
"""

import dataclasses
from typing import Any

import numpy as np

ELEVATION_RANGE = (-20.0, 40.0)  # degrees, as in the authors' settings
AZIMUTH_RANGE = (0.0, 360.0)
_RANGES = ("elevation", "azimuth", "roll", "distance")


@dataclasses.dataclass(frozen=True)
class Camera:
    """A camera that looks at the centre of the unit grid.

    The defaults are the authors' values. The camera is 100 voxels of a 32³ grid away from the
    grid's front face, which exactly fills the field of view of 2·atan(16/100) ≈ 18.2°.

    Attributes:
      perspective: whether the projection is central. If not, it is orthographic, and the image
        spans one grid side.
      distance: distance from the camera to the grid's centre, in grid sides.
      field_of_view: full angle that the image spans, in degrees.

    Raises:
      ValueError: if the distance or the field of view is out of range.
    """

    perspective: bool = True
    distance: float = 116 / 32
    field_of_view: float = float(np.degrees(2 * np.arctan(16 / 100)))

    def __post_init__(self) -> None:
        if not (1 < self.distance < np.inf and 0 < self.field_of_view < 180):
            raise ValueError(
                "a camera needs a distance over 1 grid side and a field of view between 0° and "
                f"180°, not {self.distance} and {self.field_of_view}"
            )

    def half_width(self, depths: np.ndarray) -> np.ndarray:
        """Compute half the side of the square that the image spans at each depth, in grid sides.

        Depths are positions along b (towards the camera) from the grid's centre, in grid sides.
        """
        if not self.perspective:
            return np.full(np.shape(depths), 0.5)
        return np.tan(np.radians(self.field_of_view / 2)) * (self.distance - depths)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class ViewRanges:
    """The ranges that viewpoints are drawn from, evenly.

    With the defaults all views have one camera, which moves around the grid. Viewpoints then have
    2 numbers, and else 7, which also give each view's own camera; see `geometry`.

    Attributes:
      elevation: lowest and highest, in degrees.
      azimuth: lowest and highest, in degrees.
      roll: lowest and highest, in degrees.
      distance: least and greatest distance from the camera to the grid's centre, in grid sides;
        (0, 0) for that of the `Camera`. The inverse of the distance is drawn evenly, which is in
        proportion to how strong the perspective is. The grid's centre is as large in the image at
        any distance.
      framed_share: share of the masks that are framed by the object's bounding box; see
        `framed_views`.

    Raises:
      ValueError: if a range has its ends in the wrong order, or the camera would be in the grid.
    """

    elevation: tuple[float, float] = ELEVATION_RANGE
    azimuth: tuple[float, float] = AZIMUTH_RANGE
    roll: tuple[float, float] = (0.0, 0.0)
    distance: tuple[float, float] = (0.0, 0.0)
    framed_share: float = 0.0

    def __post_init__(self) -> None:
        for name in _RANGES:
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"the {name} goes from {low:g} to {high:g}: give the lower first")
        if self.distance != (0, 0) and self.distance[0] <= 1:
            raise ValueError(
                f"a distance of {self.distance[0]:g} grid sides is too short: give more than 1"
            )

    @classmethod
    def of(cls, settings: Any) -> "ViewRanges":
        """Return the ranges among other settings, which have them as `elevation_range` and so on.

        Raises:
          ValueError: as the class.
        """
        ranges = {name: getattr(settings, f"{name}_range") for name in _RANGES}
        return cls(**ranges, framed_share=settings.framed_share)

    @property
    def num_values(self) -> int:
        """How many numbers a viewpoint has, 2 or 7."""
        one_camera = self.roll == (0, 0) and self.distance == (0, 0) and not self.framed_share
        return 2 if one_camera else 7
