"""Pictures of runs side by side."""

import numpy as np

from tools import compare_runs


def test_a_smooth_surface_covers_what_its_voxels_do():
    places = (np.arange(32) + 0.5) / 32 - 0.5
    distance = np.linalg.norm(np.stack(np.meshgrid(places, places, places)), axis=0)
    voxels = np.clip(0.5 + 8 * (0.3 - distance), 0, 1)
    smooth, blocky = (
        compare_runs.shade(voxels, 0.4, surface) != 255 for surface in ("smooth", "blocky")
    )
    overlap = (smooth & blocky).sum() / (smooth | blocky).sum()
    assert 0.9 < overlap < 1
