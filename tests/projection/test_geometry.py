"""The conventions that the module's docstring writes down."""

import numpy as np
import pytest

from ptn_semi.projection import geometry
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera, ViewRanges
from ptn_semi.projection.projector import Projector

FRONT, UP, RIGHT_HAND = np.eye(3)  # the object's axes +x, +y, +z


def test_rotations_are_orthonormal_and_keep_handedness():
    viewpoints = np.random.default_rng(0).uniform(-400, 400, (50, 2))
    axes = geometry.rotation(viewpoints).numpy()
    identity = np.broadcast_to(np.eye(3), axes.shape)
    np.testing.assert_allclose(axes @ axes.swapaxes(1, 2), identity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(axes), 1, atol=1e-12)


# What the camera sees to its right, above, and towards itself, in object axes.
@pytest.mark.parametrize(
    ("elevation", "azimuth", "right", "up", "towards"),
    [
        (0, 0, -RIGHT_HAND, UP, FRONT),  # face to face: its right-hand side is on the left
        (0, 90, -FRONT, UP, -RIGHT_HAND),  # its left side
        (0, 180, RIGHT_HAND, UP, -FRONT),  # its back
        (0, 270, FRONT, UP, RIGHT_HAND),
        (0, -90, FRONT, UP, RIGHT_HAND),
        (90, 0, -RIGHT_HAND, -FRONT, UP),  # from above, the front at the bottom of the image
        (-90, 0, -RIGHT_HAND, FRONT, -UP),
        (90, 90, -FRONT, RIGHT_HAND, UP),
    ],
)
def test_camera_axes_by_hand(elevation, azimuth, right, up, towards):
    axes = geometry.rotation(np.array([elevation, azimuth], float)).numpy()
    np.testing.assert_allclose(axes, [right, up, towards], atol=1e-12)


def test_a_point_in_camera_axes_by_hand():
    # From 30° above: 1 forward is √3/2 near and ½ down; 1 up is ½ near and √3/2 up.
    axes = geometry.rotation(np.array([30.0, 0.0])).numpy()
    expected = [-3, 2 * 0.75**0.5 - 0.5, 0.75**0.5 + 2 * 0.5]
    np.testing.assert_allclose(axes @ [1, 2, 3], expected, atol=1e-12)


def test_a_turned_shape_looks_as_it_did_from_an_azimuth_less():
    rng = np.random.default_rng(0)
    voxels = np.zeros((2, 32, 32, 32), np.float32)
    for shape in voxels:
        low = rng.integers(8, 14, 3)
        shape[low[0] : 24, low[1] : 24, low[2] : 20] = 1
    projector = Projector(32, jit_compile=False)
    for turn in (0, 90, 210, -45):
        turned = geometry.turn_voxels(voxels, turn)
        assert turned.shape == voxels.shape and turned.dtype == voxels.dtype
        after = projector([turned, np.array([[10, 30]] * 2, np.float32)]).numpy()
        before = projector([voxels, np.array([[10, 30 - turn]] * 2, np.float32)]).numpy()
        # A wrong sense of turning differs by .06 and more.
        assert abs(after - before).mean() < (0.02 if turn % 90 else 1e-3)


def test_the_defaults_are_the_authors():
    assert ELEVATION_RANGE == (-20, 40)
    assert AZIMUTH_RANGE == (0, 360)
    camera = Camera()
    assert camera.perspective
    assert camera.field_of_view == pytest.approx(18.18, abs=0.005)
    assert (camera.distance - 0.5) * 32 == 100  # voxels from the camera to the front face
    # The front face just fills the image; the back face, at 132 voxels, is seen smaller.
    depths = np.array([0.5, -0.5])
    np.testing.assert_allclose(camera.half_width(depths), [0.5, 0.66])
    np.testing.assert_array_equal(Camera(perspective=False).half_width(depths), [0.5, 0.5])


@pytest.mark.parametrize(
    ("distance", "field_of_view"),
    [(1, 20), (-3, 20), (np.nan, 20), (np.inf, 20), (3, 0), (3, 180), (3, np.nan)],
)
def test_impossible_cameras_are_refused(distance, field_of_view):
    with pytest.raises(ValueError, match="a camera needs"):
        Camera(distance=distance, field_of_view=field_of_view)


@pytest.mark.parametrize("ranges", [(ELEVATION_RANGE, AZIMUTH_RANGE), ((10, 10), (-45, 45))])
def test_sampled_viewpoints_fill_their_ranges(ranges):
    drawn_from = ViewRanges(*ranges)
    viewpoints = geometry.sample_viewpoints(4000, [1, 2], drawn_from).numpy()
    assert viewpoints.shape == (4000, 2)
    again = geometry.sample_viewpoints(4000, [1, 2], drawn_from)
    np.testing.assert_array_equal(again, viewpoints)
    for drawn, (low, high) in zip(viewpoints.T, ranges, strict=True):
        assert low <= drawn.min() <= drawn.max() <= high
        # Uniform: a tenth of all lies in each tenth of the range.
        if low < high:
            share = np.histogram(drawn, 10, (low, high))[0] / 4000
            np.testing.assert_allclose(share, 0.1, atol=0.025)
    if ranges[0][0] < ranges[0][1]:  # neither angle tells of the other
        assert abs(np.corrcoef(viewpoints.T)[0, 1]) < 0.05


def test_mirroring_a_viewpoint_mirrors_the_camera():
    viewpoints = np.random.default_rng(2).uniform(-80, 80, (20, 2)).astype(np.float32)
    mirrored = geometry.mirror_viewpoint(viewpoints).numpy()
    np.testing.assert_array_equal(geometry.mirror_viewpoint(mirrored), viewpoints)
    # A point and its mirror image (z → −z) are as high and as far, and as far to the other side.
    points = np.random.default_rng(3).normal(size=(20, 3, 1)).astype(np.float32)
    seen = geometry.rotation(viewpoints) @ points
    seen_mirrored = geometry.rotation(mirrored) @ (points * [[1], [1], [-1]]).astype(np.float32)
    np.testing.assert_allclose(seen_mirrored, seen * [[-1], [1], [1]], atol=1e-6)
