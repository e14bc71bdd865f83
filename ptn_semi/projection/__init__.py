"""Project voxels to masks.

The projector and its geometry live here: camera, viewpoints, rays, samplers,
back-projection, other resolutions and visual hulls. This package may import `utils`.
"""
