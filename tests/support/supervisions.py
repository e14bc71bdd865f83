"""What a run learns from, for tests."""

import numpy as np

from ptn_semi.data.hulls import of_hulls
from ptn_semi.data.supervision import Supervision


def supervise(
    shapes,
    labeled,
    labeled_views=4,
    num_own=None,
    hulls=None,
    warp_strength=0.25,
    mirrored=False,
    **images,
):
    """A `Supervision`; one value of `warp_strength` or `mirrored` is that of all shapes."""
    return Supervision(
        shapes,
        num_own=len(shapes) if num_own is None else num_own,
        labeled=np.asarray(labeled),
        labeled_views=labeled_views,
        occupancy=None if hulls is None else of_hulls(hulls),
        warp_strengths=np.broadcast_to(np.float32(warp_strength), len(labeled)),
        may_mirror=np.broadcast_to(mirrored, len(shapes)),
        symmetric=False,
        **images,
    )
