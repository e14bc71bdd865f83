"""Programs beside the package.

Here live the paper's experiments, the benchmark, pictures for the documents and the tools that look
for faults. They may import everything in `ptn_semi` and `shapenet_posed_masks`.
"""
