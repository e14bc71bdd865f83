"""Connected components of silhouettes and shapes."""

import numpy as np
from scipy import ndimage


def keep_large(occupied: np.ndarray, share: float) -> np.ndarray:
    """Keep the connected components that are not far smaller than the largest one.

    Args:
      occupied: a silhouette, bool [H, W], or a shape, bool [N, N, N]. Pixels or voxels that touch
        at a corner are connected.
      share: the least size of a component to keep, as a share of the largest one's size.

    Returns:
      bool, of the same shape.
    """
    components, _ = ndimage.label(occupied, np.ones([3] * occupied.ndim))
    sizes = np.bincount(components.ravel())
    sizes[0] = 0  # what is not occupied
    return (sizes >= share * sizes.max())[components] & occupied
