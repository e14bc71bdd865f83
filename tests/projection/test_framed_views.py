"""Views with cameras of their own: rolled, near and far, and framed by the object."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection import framed_views, geometry, resolutions
from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.camera import Camera, ViewRanges
from ptn_semi.projection.projector import Projector
from ptn_semi.projection.visual_hull import visual_hull

RANGES = ViewRanges((-20, 60), (0, 360), (-15, 15), (1.2, 7), framed_share=1.0)
PROJECTOR = Projector(64)


@pytest.fixture(scope="module")
def shapes():
    """Three odd shapes, each off the grid's centre."""
    grids = np.zeros((3, 32, 32, 32), bool)
    grids[0, 3:12, 6:25, 9:13] = True
    grids[1, 10:30, 20:24, 2:30] = grids[1, 10:13, 4:24, 2:5] = True
    grids[2, 18:20, 1:31, 18:20] = True
    return grids


@pytest.fixture(scope="module")
def views(shapes):
    return framed_views.frame(shapes, geometry.sample_viewpoints(3, [0, 1], RANGES)).numpy()


def render(shapes, views):
    return resolutions.render(PROJECTOR, shapes, views, 64).numpy()


def test_one_camera_for_all_views_is_a_special_case(shapes):
    viewpoints = geometry.sample_viewpoints(3, [0, 2])
    for camera in (Camera(), Camera(perspective=False)):
        same = geometry.with_camera(viewpoints, camera)
        projector, back_project = Projector(32, camera), BackProjection(16, camera)
        masks = projector([shapes, viewpoints])
        agree = np.isclose(projector([shapes, same]), masks)
        assert agree.mean() > 0.998  # a ray along the side of two voxels may take either
        projected = np.isclose(back_project(masks, same), back_project(masks, viewpoints))
        assert projected.mean() > 0.998


def test_an_object_fills_its_framed_mask(shapes, views):
    for mask in render(shapes, views)[..., 0]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert abs(max(sides) / 64 - framed_views.EXTENT) < 0.04
        for places in (rows, columns):
            assert abs((places[0] + places[-1] + 1) / 2 - 32) <= 1.5


def test_the_matrix_takes_points_to_the_pixels_that_show_them(shapes, views):
    masks = render(shapes, views)
    seen = BackProjection(32)(masks, views).numpy()[..., 0]
    for shape, mask, view, values in zip(shapes, masks, views, seen, strict=True):
        points = (np.argwhere(shape) + 0.5) / 32 - 0.5
        matrix = geometry.projection_matrix(view, Camera(), 64)
        u, v, w = matrix @ np.c_[points, np.ones(len(points))].T
        assert mask[(v / w).astype(int), (u / w).astype(int), 0].mean() > 0.99
        assert values[shape].mean() > 0.99


def test_roll_turns_the_object_clockwise(shapes):
    upright = geometry.with_camera(tf.constant([[0.0, 0.0]]), Camera())
    rolled = upright + np.float32([0, 0, 90, 0, 0, 0, 0])
    before, after = (render(shapes[1:2], view)[0, ..., 0] for view in (upright, rolled))
    assert (np.rot90(before, -1) == after).mean() > 0.995


def test_the_centre_is_as_large_at_any_distance_and_near_things_grow():
    bars = np.zeros((1, 32, 32, 32), bool)
    bars[:, 15:17, 4:28, 14:18] = True  # through the centre
    front = np.roll(bars, 12, axis=1)  # towards a camera at azimuth 0
    far, near = (
        geometry.with_camera(tf.constant([[0.0, 0.0]]), Camera(distance=d, field_of_view=fov))
        for d, fov in ((8.0, 8.0), (1.5, 41.0))
    )
    areas = {
        name: [render(b, v).sum() for v in (far, near)]
        for name, b in (("middle", bars), ("front", front))
    }
    assert areas["middle"][1] == pytest.approx(areas["middle"][0], rel=0.15)
    assert areas["front"][1] > 1.4 * areas["front"][0]


def test_mirrored_views_show_mirrored_shapes(shapes, views):
    mirrored = render(shapes[..., ::-1], geometry.mirror_viewpoint(views))
    assert (mirrored == render(shapes, views)[:, :, ::-1]).mean() > 0.999


def test_hulls_are_carved_from_framed_masks(shapes):
    views = geometry.sample_viewpoints(36, [0, 3], RANGES)
    grids = np.repeat(shapes, 12, axis=0)
    views = framed_views.frame(grids, views)
    masks = render(grids, views).reshape(3, 12, 64, 64, 1)
    hulls = visual_hull(PROJECTOR, masks, tf.reshape(views, [3, 12, 7]), 32).numpy()
    assert not (shapes & ~hulls).any()
    assert hulls.sum() < 1.6 * shapes.sum()


def test_draws_stay_in_their_ranges():
    drawn = geometry.sample_viewpoints(8000, [4, 5], RANGES).numpy()
    inverse = 1 / drawn[:, 3]
    for values, low, high in (
        (drawn[:, 0], -20, 60),
        (drawn[:, 1], 0, 360),
        (drawn[:, 2], -15, 15),
        (inverse, 1 / 7, 1 / 1.2),
    ):
        assert low - 1e-4 <= values.min() < values.max() <= high + 1e-4
        np.testing.assert_allclose(np.histogram(values, 5, (low, high))[0] / 8000, 0.2, atol=0.02)
    assert not drawn[:, 4:].any()  # to be framed
    some = dataclasses.replace(RANGES, framed_share=0.3)
    half_widths = geometry.sample_viewpoints(2000, [4, 5], some).numpy()[:, 4]
    assert (half_widths == 0).mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_allclose(half_widths[half_widths > 0], Camera().half_width(0.0), rtol=1e-6)


def test_only_views_that_are_to_be_framed_are(shapes):
    some = dataclasses.replace(RANGES, framed_share=0.5)
    drawn = geometry.sample_viewpoints(24, [0, 6], some).numpy()
    framed = framed_views.frame(np.repeat(shapes, 8, axis=0), drawn).numpy()
    kept = drawn[:, 4] > 0
    assert 0 < kept.sum() < 24
    np.testing.assert_array_equal(framed[kept], drawn[kept])
    assert (framed[~kept, 4] > 0).all() and (framed[:, :4] == drawn[:, :4]).all()


def test_an_empty_grid_is_framed_too():
    views = geometry.sample_viewpoints(1, [0, 1], RANGES)
    assert np.isfinite(framed_views.frame(np.zeros((1, 32, 32, 32), bool), views)).all()


def test_smooth_sampling_takes_one_camera_only(shapes, views):
    with pytest.raises(ValueError, match=r"viewpoints are \[B, 2\] with smooth sampling"):
        Projector(32, sampling="smooth")([shapes, views])


@pytest.mark.parametrize(
    "ranges, what",
    [
        ({"roll": (5, -5)}, "the roll goes from 5 to -5"),
        ({"distance": (0.9, 3)}, "too short"),
        ({"distance": (3, 2)}, "the distance goes"),
    ],
)
def test_impossible_ranges_are_refused(ranges, what):
    with pytest.raises(ValueError, match=what):
        ViewRanges(**ranges)
