"""Programs beside the package.

They run the paper's experiments, compare trained runs, measure speed, check that trainings resume,
and make what the package and its documents hold. They may import everything in `ptn_semi` and
`shapenet_posed_masks`.
"""
