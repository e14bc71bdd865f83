"""The viewpoint from which a shape is most like its mask."""

import numpy as np
import pytest

from ptn_semi.projection.camera import ELEVATION_RANGE
from ptn_semi.shapes import fits
from support.small_models import PROJECTOR


@pytest.fixture(scope="module")
def chair():
    occupied = np.zeros((32, 32, 32), bool)
    occupied[4:28, 12:16, 4:28] = occupied[4:8, 16:30, 4:28] = True  # seat and back
    for x, z in ((4, 4), (4, 25), (25, 4), (25, 25)):
        occupied[x : x + 3, 0:12, z : z + 3] = True
    occupied[8:20, 16:22, 24:28] = True  # one armrest
    return occupied


def seen(occupied, viewpoint):
    """The mask of a shape."""
    mask = PROJECTOR([occupied[None].astype("f4"), np.float32([viewpoint])]).numpy()[0]
    return (mask > 0).astype("f4")


@pytest.mark.parametrize("elevation, azimuth", [(10, 33), (30, 200), (-15, 305)])
def test_the_viewpoint_is_found(chair, elevation, azimuth):
    mask = seen(chair, (elevation, azimuth))
    fit = fits.search(chair, mask, PROJECTOR, ELEVATION_RANGE)
    assert fit.iou > 0.95
    assert abs(fit.elevation - elevation) < 4 and abs(fit.azimuth - azimuth) < 4
    exact = fits.measure(chair, mask, PROJECTOR, (elevation, azimuth))
    assert exact == fits.Fit(elevation, azimuth, 1)


def test_the_model_decides_between_front_and_back(chair):
    table = chair[:, :16].copy()  # without a back: from behind it looks the same
    table = np.concatenate([table, np.zeros_like(table)], axis=1)
    table |= table[::-1] | table[:, :, ::-1] | table[::-1, :, ::-1]
    mask = seen(table, (5, 10))
    for azimuth in (0, 180):
        estimate = np.float32([0, azimuth])
        fit = fits.search(table, mask, PROJECTOR, ELEVATION_RANGE, estimate)
        assert abs((fit.azimuth - azimuth - 10 + 180) % 360 - 180) < 10 and fit.iou > 0.9
    # An estimate that the mask does not bear out is overruled.
    fit = fits.search(chair, mask, PROJECTOR, ELEVATION_RANGE, np.float32([0, 90]))
    assert fit.iou >= fits.search(chair, mask, PROJECTOR, ELEVATION_RANGE).iou - 0.05


def test_a_mask_that_does_not_fit(chair):
    mask = np.zeros((32, 32, 1), np.float32)
    mask[15:17] = 1  # a bar
    assert fits.search(chair, mask, PROJECTOR, ELEVATION_RANGE).iou < 0.4
