"""The projector and its geometry: camera, viewpoints, rays, samplers, visual hulls. Imports utils."""
