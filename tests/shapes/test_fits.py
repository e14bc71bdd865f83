"""The viewpoint from which a shape is most like its mask."""

import numpy as np
import pytest

from ptn_semi.projection import framed_views, geometry
from ptn_semi.projection.camera import ViewRanges
from ptn_semi.shapes import fits
from support.small_models import PROJECTOR

RANGES = ViewRanges()
FRAMED = ViewRanges((-20, 60), (0, 360), (-10, 10), (1.5, 6), framed_share=1.0)


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
    fit = fits.search(chair, mask, PROJECTOR, RANGES)
    assert fit.iou > 0.95
    assert abs(fit.elevation - elevation) < 4 and abs(fit.azimuth - azimuth) < 4
    exact = fits.measure(chair, mask, PROJECTOR, np.float32([elevation, azimuth]))
    assert exact.iou == 1 and (exact.elevation, exact.azimuth) == (elevation, azimuth)


def test_a_framed_shape_is_found_by_its_framed_mask(chair):
    true = geometry.sample_viewpoints(3, [0, 5], FRAMED)
    for viewpoint in framed_views.frame(np.repeat(chair[None], 3, axis=0), true).numpy():
        fit = fits.search(chair, seen(chair, viewpoint), PROJECTOR, FRAMED, viewpoint)
        assert fit.iou > 0.93
        np.testing.assert_allclose(fit.viewpoint[2:4], viewpoint[2:4])
        np.testing.assert_allclose(fit.viewpoint, viewpoint, atol=4)
    alone = fits.search(chair, seen(chair, viewpoint), PROJECTOR, FRAMED)
    assert alone.iou > 0.8 and alone.viewpoint[2] == 0  # the roll is not searched for


def test_the_model_decides_between_front_and_back(chair):
    table = chair[:, :16].copy()  # without a back: from behind it looks the same
    table = np.concatenate([table, np.zeros_like(table)], axis=1)
    table |= table[::-1] | table[:, :, ::-1] | table[::-1, :, ::-1]
    mask = seen(table, (5, 10))
    for azimuth in (0, 180):
        estimate = np.float32([0, azimuth])
        fit = fits.search(table, mask, PROJECTOR, RANGES, estimate)
        assert abs((fit.azimuth - azimuth - 10 + 180) % 360 - 180) < 10 and fit.iou > 0.9
    # An estimate that the mask does not bear out is overruled.
    fit = fits.search(chair, mask, PROJECTOR, RANGES, np.float32([0, 90]))
    assert fit.iou >= fits.search(chair, mask, PROJECTOR, RANGES).iou - 0.05


def test_a_mask_that_does_not_fit(chair):
    mask = np.zeros((32, 32, 1), np.float32)
    mask[15:17] = 1  # a bar
    assert fits.search(chair, mask, PROJECTOR, RANGES).iou < 0.4
