"""File formats of shapes, and the voxel grids made from them.

Here live the readers of meshes and voxel files, and pure functions on meshes and grids. They may
import `ptn_semi.utils` and nothing else of this project, and never TensorFlow.
"""
