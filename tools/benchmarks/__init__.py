"""The sections of `tools.benchmark`.

Here live the measurements, the rows that they yield, and the plain implementations to compare with.
They may import everything in `ptn_semi` and `shapenet_posed_masks`.
"""
