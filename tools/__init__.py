"""Programs beside the package: experiments, comparisons, pictures, benchmarks, and what it holds.

They may import everything in `ptn_semi` and `shapenet_posed_masks`.
"""
