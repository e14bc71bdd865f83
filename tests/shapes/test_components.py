"""Connected components of silhouettes and shapes."""

import numpy as np
import pytest

from ptn_semi.shapes import components


@pytest.mark.parametrize("dimensions", [2, 3])
def test_small_components_go_and_what_touches_at_a_corner_stays(dimensions):
    kept = np.zeros([12] * dimensions, bool)
    kept[(slice(2, 9),) * dimensions] = True
    kept[(9,) * dimensions] = True  # touches a corner of the square or cube
    occupied = kept.copy()
    occupied[(0,) * dimensions] = True  # touches nothing
    np.testing.assert_array_equal(components.keep_large(occupied, 0.1), kept)
    np.testing.assert_array_equal(components.keep_large(kept & False, 0.1), kept & False)
