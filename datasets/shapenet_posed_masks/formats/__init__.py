"""File formats of shapes, and the voxel grids made from them.

Here live the mesh reader, the checks of what a mesh file claims, and pure functions on grids. They
may import `ptn_semi.utils` and nothing else of this project, and never TensorFlow.
"""
