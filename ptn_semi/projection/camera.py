"""The camera that looks at the grid; axes and viewpoints are those of `geometry`."""

import dataclasses

import numpy as np

ELEVATION_RANGE = (-20.0, 40.0)  # degrees, as the authors' settings
AZIMUTH_RANGE = (0.0, 360.0)


@dataclasses.dataclass(frozen=True)
class Camera:
    """A camera that looks at the centre of the unit grid.

    The defaults are the authors': 100 voxels of a 32³ grid from the grid's front face, and a field
    of view that this face just fills, 2·atan(16/100) ≈ 18.2°.

    Attributes:
      perspective: central projection; orthographic (the image spans one grid side) if False.
      distance: from the camera to the grid's centre, in grid sides.
      field_of_view: the full angle that the image spans, in degrees.
    """

    perspective: bool = True
    distance: float = 116 / 32
    field_of_view: float = float(np.degrees(2 * np.arctan(16 / 100)))

    def __post_init__(self):
        if not (1 < self.distance < np.inf and 0 < self.field_of_view < 180):
            raise ValueError(
                "a camera needs a distance over 1 grid side and a field of view between 0° and "
                f"180°, not {self.distance} and {self.field_of_view}"
            )

    def half_width(self, depths):
        """Half the side of what the image spans, in grid sides, at each depth.

        Args:
          depths: positions along b (towards the camera), grid centre 0, in grid sides.
        """
        if not self.perspective:
            return np.full(np.shape(depths), 0.5)
        return np.tan(np.radians(self.field_of_view / 2)) * (self.distance - depths)

    def to_dict(self):
        """Plain values, for JSON."""
        return dataclasses.asdict(self)
