"""Tools that look for faults.

Here live programs that kill trainings, damage files and send hostile requests, and check that
nothing breaks. They may import everything in `ptn_semi` and `shapenet_posed_masks`.
"""
