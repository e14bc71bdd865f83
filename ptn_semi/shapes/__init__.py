"""Shapes as people see them: from probabilities to the occupied voxels that are written.

Holds whole shapes, connected components, and how well a shape fits its mask.
May import `models`, `projection` and `utils`.
"""
