"""Connected components of silhouettes and shapes."""

import numpy as np
from scipy import ndimage


def keep_large(occupied: np.ndarray, share: float) -> np.ndarray:
    """Keep the large components of a silhouette, bool [H, W], or of a shape, bool [N, N, N].

    They have at least this share of the largest one's size. Pixels or voxels that touch at a corner
    are connected.
    """
    components, _ = ndimage.label(occupied, np.ones([3] * occupied.ndim))
    sizes = np.bincount(components.ravel())
    sizes[0] = 0  # what is not occupied
    return (sizes >= share * sizes.max())[components] & occupied
