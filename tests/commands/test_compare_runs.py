"""Pictures of runs side by side."""

import numpy as np

from ptn_semi.visual import surfaces
from tools import compare_runs


def test_a_smooth_surface_is_drawn_as_its_mesh():
    places = (np.arange(32) + 0.5) / 32 - 0.5
    distance = np.linalg.norm(np.stack(np.meshgrid(places, places, places)), axis=0)
    voxels = np.clip(0.5 + 8 * (0.3 - distance), 0, 1)
    drawn = compare_runs.to_draw(voxels, 0.4, "smooth")
    mesh = surfaces.extract_smooth(voxels, 0.4)
    np.testing.assert_allclose(drawn.mean(), mesh.volume, rtol=0.01)
    reach = (np.argwhere(drawn).max() + 1) / len(drawn) - 0.5
    np.testing.assert_allclose(reach, mesh.bounds.max(), atol=0.01)
    blocky = compare_runs.to_draw(voxels, 0.4, "blocky")
    np.testing.assert_array_equal(blocky, voxels > 0.4)
