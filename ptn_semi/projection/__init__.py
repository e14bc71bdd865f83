"""The projector and its geometry: camera, viewpoints, rays, samplers, hulls. Imports `utils`."""
