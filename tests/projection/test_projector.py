"""The projector: properties and hand-derived pixels; see test_smooth_sampling.py for slow ones."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from support.projections import (
    ALL_POOLINGS,
    ALL_SAMPLINGS,
    CAMERAS,
    ORTHOGRAPHIC,
    PERSPECTIVE,
    make,
    project,
    random_grids,
    random_viewpoints,
)


def distances(size):
    """Of each voxel's centre from the grid's, in grid sides."""
    ticks = (np.arange(size) + 0.5) / size - 0.5
    return np.sqrt(sum(x**2 for x in np.meshgrid(ticks, ticks, ticks)))


def test_absorption_by_hand():
    voxels = np.zeros((2, 2, 2))
    voxels[0, 0, 0] = voxels[1, 0, 0] = 1  # both along one ray: at the bottom (y), and on the
    # object's left (z), which a camera in front of it sees on the right
    voxels[0, 1, 1] = 0.5
    masks = project(voxels, (0, 0), camera=ORTHOGRAPHIC)
    np.testing.assert_allclose(masks[0], [[1 - np.exp(-0.5), 0], [0, 1 - np.exp(-2)]], rtol=1e-5)
    masks = project(voxels, (0, 0), camera=ORTHOGRAPHIC, pooling="max")
    np.testing.assert_array_equal(masks[0], [[0.5, 0], [0, 1]])


# A voxel at one end of each axis, and the pixel it lights, of 8 × 8: row 0 at the top.
@CAMERAS
@ALL_SAMPLINGS
@pytest.mark.parametrize(
    ("voxel", "viewpoint", "pixel"),
    [
        # From the front (+x) its right-hand side (+z) is on the left.
        ((7, 7, 7), (0, 0), (0, 0)),
        ((7, 7, 0), (0, 0), (0, 7)),
        ((7, 0, 7), (0, 0), (7, 0)),
        # From its left (−z) the front is on the left, from its right it is on the right.
        ((7, 7, 0), (0, 90), (0, 0)),
        ((7, 7, 7), (0, 270), (0, 7)),
        ((0, 7, 0), (0, 180), (0, 0)),
        # From above, the front is at the bottom.
        ((7, 7, 7), (90, 0), (7, 0)),
        ((0, 7, 7), (90, 0), (0, 0)),
    ],
)
def test_which_pixel_a_voxel_lights(camera, sampling, voxel, viewpoint, pixel):
    voxels = np.zeros((8, 8, 8))
    voxels[voxel] = 1
    mask = project(voxels, viewpoint, camera=camera, sampling=sampling)[0]
    assert np.unravel_index(mask.argmax(), mask.shape) == pixel


@pytest.mark.parametrize(("sampling", "size"), [("nearest", 7), ("nearest", 8), ("smooth", 7)])
@ALL_POOLINGS
def test_quarter_turns_of_the_camera_are_quarter_turns_of_the_grid(sampling, pooling, size):
    voxels = random_grids(size, size, size)
    options = {"camera": ORTHOGRAPHIC, "sampling": sampling, "pooling": pooling}
    turned = [np.rot90(voxels, quarter, axes=(0, 2)) for quarter in range(-1, 4)]
    from_front = project(np.stack(turned), [(0, 0)] * 5, **options)
    masks = project(voxels, [(0, 90 * quarter) for quarter in range(-1, 4)], **options)
    if sampling == "nearest":
        np.testing.assert_array_equal(masks, from_front)
    else:
        np.testing.assert_allclose(masks, from_front, atol=1e-5)
    assert abs(masks[1] - masks[2]).max() > 0.01  # a quarter turn is to be seen


@pytest.mark.parametrize(("camera", "image_size"), [(PERSPECTIVE, 16), (ORTHOGRAPHIC, 15)])
@ALL_SAMPLINGS
@ALL_POOLINGS
def test_mirrored_shapes_give_mirrored_masks(camera, sampling, pooling, image_size):
    voxels = random_grids(8, 8, 8)
    viewpoints = random_viewpoints(6)
    elevation, azimuth = viewpoints.T
    show = functools.partial(
        project, image_size=image_size, camera=camera, sampling=sampling, pooling=pooling
    )
    masks = show(voxels, viewpoints)
    mirrored = {
        "z": show(voxels[:, :, ::-1], np.stack([elevation, -azimuth], 1))[:, :, ::-1],
        "x": show(voxels[::-1], np.stack([elevation, 180 - azimuth], 1))[:, :, ::-1],
        "y": show(voxels[:, ::-1], np.stack([-elevation, azimuth], 1))[:, ::-1],
    }
    for result in mirrored.values():
        # A sample on the border of two voxels may fall to the other one.
        close = np.isclose(result, masks, atol=1e-4)
        assert close.mean() > (0.99 if sampling == "nearest" else 1 - 1e-9)


def sphere(size, radius):
    """Smooth at the border, so that the surface is where an interpolated sample is ½.

    With nearest sampling the corners of voxels stick out of it.
    """
    return np.clip((radius - distances(size)) * size + 0.5, 0, 1)


@CAMERAS
@pytest.mark.parametrize(("sampling", "tolerance"), [("nearest", 0.1), ("smooth", 0.01)])
@pytest.mark.parametrize("size", [24, 31])
def test_a_spheres_silhouette_has_the_right_area_from_everywhere(camera, sampling, tolerance, size):
    radius = 0.37
    if sampling == "smooth" and camera.perspective:
        tolerance = 0.013  # interpolation in two turns blurs, which shrinks what is convex
    viewpoints = np.concatenate([[(0, 0), (90, 0), (-20, 45)], random_viewpoints(9)])
    options = {"camera": camera, "sampling": sampling, "pooling": "max"}
    areas = (project(sphere(size, radius), viewpoints, 64, **options) > 0.5).mean(axis=(1, 2))
    if camera.perspective:
        # The cone that touches it, where it crosses the plane at distance 1.
        radius = radius / np.sqrt(camera.distance**2 - radius**2)
        radius /= 2 * np.tan(np.radians(camera.field_of_view / 2))
    np.testing.assert_allclose(areas, np.pi * radius**2, rtol=tolerance)


def test_near_things_are_larger_in_perspective_alone():
    voxels = np.zeros((2, 32, 32, 32))
    voxels[0, -4:, 14:18, 14:18] = voxels[1, :4, 14:18, 14:18] = 1
    wide = Camera(distance=1.5, field_of_view=40)
    for camera in (PERSPECTIVE, wide, ORTHOGRAPHIC):
        masks = project(voxels, [(0, 0)] * 2, 128, camera=camera, pooling="max")
        sides = np.sqrt(masks.mean(axis=(1, 2)))
        if camera.perspective:
            # As large as the nearest voxels, which are sampled in the middle.
            away = camera.distance - np.array([15.5, -12.5]) / 32
            expected = 4 / 32 / (2 * np.tan(np.radians(camera.field_of_view / 2)) * away)
            assert sides[0] > 1.25 * sides[1]
            np.testing.assert_allclose(sides, expected, atol=0.5 / 128)
        else:
            assert sides.tolist() == [4 / 32] * 2


@pytest.mark.parametrize(("elevation", "azimuth"), [(35.264, 45), (-35.264, 225), (35.264, 135)])
@CAMERAS
def test_nothing_is_too_near_or_too_far_to_be_seen(camera, elevation, azimuth):
    # Along a diagonal of the grid, to its nearest and its farthest corner.
    corner = [int(c > 0) * 31 for c in geometry.rotation(np.array([elevation, azimuth]))[2]]
    voxels = np.zeros((2, 32, 32, 32))
    voxels[0][tuple(corner)] = voxels[1][tuple(31 - c for c in corner)] = 1
    for mask in project(voxels, [(elevation, azimuth)] * 2, 15, camera=camera):
        assert mask[7, 7] > 0.5


def test_probabilities_on_a_ray_are_those_of_meeting_a_voxel():
    voxels = np.zeros((1, 4, 4, 4), np.float32)
    voxels[0, :2, 1, 1] = 0.5, 0.2  # one behind the other, seen from the front
    masks = project(voxels, (0, 0), camera=ORTHOGRAPHIC, pooling="probability")
    assert masks.max() == pytest.approx(1 - 0.5 * 0.8, abs=1e-5)
    voxels[0, 0, 1, 1] = 1  # a certain one hides what is behind it
    masks = project(voxels, (0, 0), camera=ORTHOGRAPHIC, pooling="probability")
    assert masks.max() == pytest.approx(1, abs=1e-3)


@ALL_SAMPLINGS
@ALL_POOLINGS
def test_masks_are_in_range_and_more_matter_is_never_lighter(sampling, pooling):
    voxels, viewpoints = random_grids(5, 8, 8, 8), random_viewpoints(5)
    options = {"sampling": sampling, "pooling": pooling}
    masks = project(voxels, viewpoints, **options)
    more = project(np.maximum(voxels, random_grids(5, 8, 8, 8, seed=1)), viewpoints, **options)
    assert masks.min() >= 0 and more.max() <= 1
    assert (more >= masks).all() and (more > masks).any()
    assert (project(np.zeros((8, 8, 8)), viewpoints, **options) == 0).all()


@ALL_SAMPLINGS
@pytest.mark.parametrize(("size", "image_size"), [(16, 48), (32, 20), (64, 32), (8, 16)])
def test_image_and_voxel_size_are_independent(sampling, size, image_size):
    # A box in the quarter of the grid from y = 0 to ¼ and z = −¼ to 0.
    eighth = size // 8
    voxels = np.zeros((size, size, size))
    voxels[:, 4 * eighth : 6 * eighth, 2 * eighth : 4 * eighth] = 1
    options = {"camera": ORTHOGRAPHIC, "sampling": sampling, "pooling": "max"}
    expected = np.zeros((image_size, image_size), bool)
    quarter = image_size // 4
    expected[quarter : 2 * quarter, 2 * quarter : 3 * quarter] = True
    # Between voxels, an interpolated sample falls to (½ + ⅙)² at the box's corners.
    mask = project(voxels, (0, 0), image_size, **options)[0]
    np.testing.assert_array_equal(mask > 0.4, expected)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64, tf.bool])
def test_voxels_of_other_types_and_whole_degrees_are_taken(dtype):
    voxels = tf.cast(random_grids(2, 6, 6, 6) > 0.7, dtype)
    viewpoints = np.array([[20, 130], [-5, 0]])
    masks = make(8)([voxels, viewpoints])
    assert masks.dtype == tf.float32
    expected = project(tf.cast(voxels, tf.float32), viewpoints, 8)
    np.testing.assert_array_equal(masks[..., 0], expected)


def test_half_precision_of_the_networks_does_not_reach_it():
    voxels, viewpoints = random_grids(2, 6, 6, 6), random_viewpoints(2)
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        masks = Projector(8, jit_compile=False)([voxels, viewpoints])
    finally:
        keras.config.set_dtype_policy(kept)
    assert masks.dtype == tf.float32
    np.testing.assert_array_equal(masks[..., 0], project(voxels, viewpoints, 8))


def test_rays_pass_the_voxels_that_masks_show():
    voxels, viewpoints = random_grids(2, 8, 8, 8) > 0.9, random_viewpoints(2)
    projector = make(16)
    rays = projector.ray_voxels(viewpoints, 8).numpy()
    for grid, ray, mask in zip(voxels, rays, project(voxels, viewpoints, 16), strict=True):
        np.testing.assert_array_equal(np.append(grid, False)[ray].any(axis=0), mask > 0)
    with pytest.raises(ValueError, match="nearest sampling only"):
        Projector(16, sampling="smooth").ray_voxels(viewpoints, 8)
