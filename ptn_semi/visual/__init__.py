"""Pictures and surfaces of masks and voxels. Imports projection, utils."""
