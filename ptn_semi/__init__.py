"""Single-view 3D reconstruction with limited pose supervision."""

__version__ = "0.1.0"
