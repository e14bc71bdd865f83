"""The camera that looks at the voxel grid. `geometry` defines the axes and viewpoints.

This module does not import TensorFlow.
"""

import dataclasses
from typing import Any

import numpy as np

ELEVATION_RANGE = (-20.0, 40.0)  # degrees, as in the authors' settings
AZIMUTH_RANGE = (0.0, 360.0)


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
