"""The projector: properties and hand-derived pixels; see test_smooth_sampling.py for slow ones."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection import geometry, rays
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import POOLINGS, SAMPLERS, Projector

ORTHOGRAPHIC = Camera(perspective=False)
PERSPECTIVE = Camera()
CAMERAS = pytest.mark.parametrize("camera", [PERSPECTIVE, ORTHOGRAPHIC], ids=["persp", "ortho"])
ALL_SAMPLINGS = pytest.mark.parametrize("sampling", SAMPLERS)
ALL_POOLINGS = pytest.mark.parametrize("pooling", POOLINGS)


@functools.cache
def make(image_size, camera=PERSPECTIVE, sampling="nearest", pooling="absorption", jit=False):
    return Projector(image_size, camera, sampling, pooling, jit_compile=jit)


def project(voxels, viewpoints, image_size=None, **options):
    """Masks [B, S, S] of one grid, or of a batch of grids, from each viewpoint."""
    viewpoints = np.asarray(viewpoints, np.float32).reshape(-1, 2)
    voxels = np.asarray(voxels, np.float32)
    voxels = np.broadcast_to(voxels, (len(viewpoints), *voxels.shape[-3:]))
    masks = make(image_size or voxels.shape[-1], **options)([voxels, viewpoints])
    return masks.numpy()[..., 0]


def random_grids(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def random_viewpoints(count, seed=0):
    return np.random.default_rng(seed).uniform((-80, -180), (80, 180), (count, 2)).astype("f")


def distances(size):
    """Of each voxel's centre from the grid's, in grid sides."""
    ticks = (np.arange(size) + 0.5) / size - 0.5
    return np.sqrt(sum(x**2 for x in np.meshgrid(ticks, ticks, ticks)))


# Pixels by hand


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


def test_elevation_looks_down():
    voxels = np.zeros((16, 16, 16))
    voxels[:, 0] = 1  # a floor: a line from the front, an area from above, its front edge lower
    options = {"camera": ORTHOGRAPHIC}
    level, above = project(voxels, [(0, 0), (40, 0)], **options).any(axis=2)
    assert np.flatnonzero(level).tolist() == [15]
    voxels[:8] = 0
    front = project(voxels, (40, 0), **options)[0].any(axis=1)
    # 16 · sin 40° rows or nearly 5 for either half; the lower half is the front, cut off somewhat.
    assert above[-3:].all()
    assert front[-3:].all()
    assert (above & ~front).sum() == 5


# Turns and mirrors


@ALL_SAMPLINGS
@ALL_POOLINGS
@pytest.mark.parametrize("size", [7, 8])
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


@ALL_SAMPLINGS
def test_views_along_the_axes_are_sums_along_the_axes(sampling):
    voxels = random_grids(6, 6, 6) / 6
    options = {"camera": ORTHOGRAPHIC, "sampling": sampling}
    front, left, above, below = project(voxels, [(0, 0), (0, 90), (90, 0), (-90, 0)], **options)
    along_x, along_y, along_z = (1 - np.exp(-voxels.sum(axis=axis)) for axis in range(3))
    np.testing.assert_allclose(front, along_x[::-1, ::-1], atol=1e-5)  # of [y, z]
    np.testing.assert_allclose(left, along_z.T[::-1, ::-1], atol=1e-5)  # of [x, y]
    np.testing.assert_allclose(above, along_y[:, ::-1], atol=1e-5)  # of [x, z]
    np.testing.assert_allclose(below, along_y[::-1, ::-1], atol=1e-5)


@CAMERAS
@ALL_SAMPLINGS
@ALL_POOLINGS
@pytest.mark.parametrize("image_size", [16, 15])
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


# Silhouettes


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


@ALL_SAMPLINGS
@pytest.mark.parametrize("viewpoint", [(0, 0), (0, 90), (90, 0), (-20, 45), (40, 200)])
def test_a_centred_object_is_in_the_middle_of_its_mask(sampling, viewpoint):
    for size, image_size in ((16, 16), (15, 20), (16, 25)):
        mask = project(sphere(size, 0.4), viewpoint, image_size, sampling=sampling)[0]
        middle = (image_size - 1) / 2
        for axis in (0, 1):
            profile = mask.sum(axis=1 - axis)
            centre = (profile * np.arange(image_size)).sum() / profile.sum()
            # Smooth: a turn about one axis blurs across it alone, a sphere to an ellipsoid, and the
            # middle of a tilted ellipsoid's mask is a little off in perspective.
            assert centre == pytest.approx(middle, abs=0.1 if sampling == "nearest" else 0.036)


@ALL_SAMPLINGS
def test_symmetric_objects_give_symmetric_masks(sampling):
    half = random_grids(8, 8, 4)
    voxels = np.concatenate([half, half[:, :, ::-1]], axis=2)
    front = project(voxels, (0, 0), 19, sampling=sampling)[0]
    np.testing.assert_allclose(front, front[:, ::-1], atol=1e-5)


@pytest.mark.parametrize(
    ("viewpoint", "near", "far"),
    [
        ((0, 0), np.s_[-4:, 14:18, 14:18], np.s_[:4, 14:18, 14:18]),
        ((0, 90), np.s_[14:18, 14:18, :4], np.s_[14:18, 14:18, -4:]),
        ((90, 0), np.s_[14:18, -4:, 14:18], np.s_[14:18, :4, 14:18]),
    ],
)
def test_near_things_are_larger_in_perspective_alone(viewpoint, near, far):
    voxels = np.zeros((2, 32, 32, 32))
    voxels[0][near] = voxels[1][far] = 1
    wide = Camera(distance=1.5, field_of_view=40)
    for camera in (PERSPECTIVE, wide, ORTHOGRAPHIC):
        masks = project(voxels, [viewpoint] * 2, 128, camera=camera, pooling="max")
        sides = np.sqrt(masks.mean(axis=(1, 2)))
        if camera.perspective:
            # As large as the nearest voxels, which are sampled in the middle.
            away = camera.distance - np.array([15.5, -12.5]) / 32
            expected = 4 / 32 / (2 * np.tan(np.radians(camera.field_of_view / 2)) * away)
            assert sides[0] > 1.25 * sides[1]
            np.testing.assert_allclose(sides, expected, atol=0.5 / 128)
        else:
            assert sides.tolist() == [4 / 32] * 2


@pytest.mark.parametrize("elevation", [35.264, -35.264])
@pytest.mark.parametrize("azimuth", [45, 135, 225, 315])
@CAMERAS
def test_nothing_is_too_near_or_too_far_to_be_seen(camera, elevation, azimuth):
    # Along a diagonal of the grid, to its nearest and its farthest corner.
    corner = [int(c > 0) * 31 for c in geometry.rotation(np.array([elevation, azimuth]))[2]]
    voxels = np.zeros((2, 32, 32, 32))
    voxels[0][tuple(corner)] = voxels[1][tuple(31 - c for c in corner)] = 1
    for mask in project(voxels, [(elevation, azimuth)] * 2, 15, camera=camera):
        assert mask[7, 7] > 0.5


def test_planes_cover_the_grids_diagonal_and_no_more():
    for size in range(1, 100):
        depths = rays.depths(size)
        assert size * 3**0.5 <= len(depths) < size * 3**0.5 + 2
        np.testing.assert_array_equal(np.diff(depths), 1)
        assert depths[0] == -depths[-1]
        assert (depths[0] - (size - 1) / 2) % 1 == 0  # on the centres of voxels


# Sizes


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


def test_batches_of_any_size_share_one_trace():
    projector = make(8)

    @tf.function(
        input_signature=[tf.TensorSpec((None, 6, 6, 6)), tf.TensorSpec((None, 2))],
    )
    def masks_and_gradient(voxels, viewpoints):
        with tf.GradientTape() as tape:
            tape.watch(voxels)
            masks = projector([voxels, viewpoints])
        return masks, tape.gradient(masks, voxels)

    for count in (1, 3, 7):
        masks, gradient = masks_and_gradient(random_grids(count, 6, 6, 6), random_viewpoints(count))
        assert masks.shape == (count, 8, 8, 1)
        assert gradient.shape == (count, 6, 6, 6)
    assert masks_and_gradient.experimental_get_tracing_count() == 1


@ALL_SAMPLINGS
@ALL_POOLINGS
def test_a_batch_is_its_examples_one_by_one(sampling, pooling):
    voxels, viewpoints = random_grids(4, 8, 8, 8), random_viewpoints(4)
    options = {"sampling": sampling, "pooling": pooling}
    together = project(voxels, viewpoints, 12, **options)
    for one, viewpoint, mask in zip(voxels, viewpoints, together, strict=True):
        np.testing.assert_array_equal(project(one, viewpoint, 12, **options)[0], mask)


@ALL_SAMPLINGS
@ALL_POOLINGS
@pytest.mark.parametrize("cores", [1, 2, 16])
def test_a_batchs_gradient_is_its_examples_one_by_one(sampling, pooling, cores, monkeypatch):
    # Nearest sampling splits a batch over the cores.
    monkeypatch.setattr("ptn_semi.projection.nearest_sampling.os.cpu_count", lambda: cores)
    voxels, viewpoints = random_grids(5, 8, 8, 8), random_viewpoints(5)
    weights = random_grids(5, 12, 12, 1, seed=1) - 0.3

    def gradient(part):
        with tf.GradientTape() as tape:
            variable = tf.Variable(voxels[part])
            masks = make(12, sampling=sampling, pooling=pooling)([variable, viewpoints[part]])
        return tape.gradient(masks, variable, weights[part]).numpy()

    together = gradient(np.s_[:])
    assert (together != 0).any(axis=(1, 2, 3)).all()
    for i in range(5):
        np.testing.assert_array_equal(gradient(np.s_[i : i + 1])[0], together[i])


# Values


@ALL_SAMPLINGS
@ALL_POOLINGS
def test_masks_are_in_range_and_more_matter_is_never_lighter(sampling, pooling):
    voxels, viewpoints = random_grids(5, 8, 8, 8), random_viewpoints(5)
    options = {"sampling": sampling, "pooling": pooling}
    masks = project(voxels, viewpoints, **options)
    more = project(np.maximum(voxels, random_grids(5, 8, 8, 8, seed=1)), viewpoints, **options)
    assert masks.min() >= 0
    assert more.max() <= 1
    assert (more >= masks).all()
    assert (more > masks).any()
    assert (project(np.zeros((8, 8, 8)), viewpoints, **options) == 0).all()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64, tf.bool])
def test_voxels_of_other_types_are_taken(dtype):
    voxels = tf.cast(random_grids(2, 6, 6, 6) > 0.7, dtype)
    masks = make(8)([voxels, random_viewpoints(2)])
    assert masks.dtype == tf.float32
    expected = make(8)([tf.cast(voxels, tf.float32), random_viewpoints(2)])
    np.testing.assert_array_equal(masks, expected)


def test_whole_degrees_are_taken():
    voxels, viewpoints = random_grids(2, 6, 6, 6), np.array([[20, 130], [-5, 0]])
    masks = make(8)([voxels, viewpoints])[..., 0]
    np.testing.assert_array_equal(masks, project(voxels, viewpoints, 8))


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


# Gradients


@CAMERAS
@ALL_SAMPLINGS
@ALL_POOLINGS
def test_gradient_to_voxels_agrees_with_finite_differences(camera, sampling, pooling):
    size, image_size, step = 4, 6, 2e-3
    # All values differ by more than twice the step, so that the largest of a ray stays it.
    order = np.random.default_rng(2).permutation(size**3)
    voxels = ((order + 1) / size**3).reshape(1, size, size, size).astype(np.float32)
    viewpoint = np.array([[25, 70]], np.float32)
    weights = random_grids(image_size, image_size, seed=3) - 0.3
    options = {"camera": camera, "sampling": sampling, "pooling": pooling}
    with tf.GradientTape() as tape:
        variable = tf.Variable(voxels)
        masks = make(image_size, **options)([variable, viewpoint])
        total = tf.reduce_sum(masks[..., 0] * weights)
    gradient = tf.convert_to_tensor(tape.gradient(total, variable)).numpy().ravel()
    steps = step * np.eye(size**3, dtype=np.float32).reshape(-1, size, size, size)
    viewpoints = np.repeat(viewpoint, size**3, axis=0)
    up, down = (
        (project(voxels + sign * steps, viewpoints, image_size, **options) * weights).sum((1, 2))
        for sign in (1, -1)
    )
    numeric = (up - down) / (2 * step)
    assert abs(numeric).max() > 0.1
    np.testing.assert_allclose(gradient, numeric, atol=2e-3)


@CAMERAS
@ALL_POOLINGS
def test_gradient_to_viewpoint_agrees_with_finite_differences(camera, pooling):
    # A smooth lump off the centre.
    ticks = (np.arange(12) + 0.5) / 12 - 0.5
    x, y, z = np.meshgrid(ticks, ticks, ticks, indexing="ij")
    voxels = 0.3 * np.exp(-8 * ((x - 0.2) ** 2 + (y + 0.1) ** 2 + 3 * (z - 0.1) ** 2))
    voxels = voxels[None].astype(np.float32)
    weights = random_grids(10, 10, seed=4) - 0.3
    options = {"camera": camera, "sampling": "smooth", "pooling": pooling}
    for viewpoint in random_viewpoints(3, seed=5):
        with tf.GradientTape() as tape:
            variable = tf.Variable(viewpoint[None])
            masks = make(10, **options)([voxels, variable])
            total = tf.reduce_sum(masks[..., 0] * weights)
        gradient = tape.gradient(total, variable).numpy()[0]
        steps = 0.1 * np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
        totals = (project(voxels, viewpoint + steps, 10, **options) * weights).sum(axis=(1, 2))
        numeric = (totals[:2] - totals[2:]) / 0.2
        assert abs(numeric).max() > 1e-3
        np.testing.assert_allclose(gradient, numeric, rtol=0.03, atol=5e-4)


@ALL_POOLINGS
def test_nearest_sampling_has_no_gradient_to_the_viewpoint(pooling):
    viewpoints = tf.Variable([[10.0, 20.0]])
    with tf.GradientTape() as tape:
        masks = make(6, pooling=pooling)([random_grids(1, 6, 6, 6), viewpoints])
    assert tape.gradient(masks, viewpoints) is None


@ALL_POOLINGS
def test_gradients_are_added_up_alike_on_any_machine(pooling, monkeypatch):
    voxels, viewpoints = tf.constant(random_grids(3, 8, 8, 8)), random_viewpoints(3)
    weights = random_grids(3, 12, 12, 1, seed=1) - 0.3
    gradients = []
    # The way of a GPU runs on a CPU too; None where the number of cores cannot be told.
    for devices, cores in (([], 2), ([], None), (["a GPU"], 2)):
        with tf.device("CPU"), tf.GradientTape() as tape, monkeypatch.context() as patch:
            patch.setattr(tf.config, "list_physical_devices", lambda kind, found=devices: found)
            patch.setattr("os.cpu_count", lambda count=cores: count)
            tape.watch(voxels)
            masks = make(12, pooling=pooling)([voxels, viewpoints])
            gradients.append(tape.gradient(masks, voxels, weights).numpy())
    on_cpu, unknown, on_gpu = gradients
    np.testing.assert_array_equal(unknown, on_cpu)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-6)


@pytest.mark.parametrize("value", [0, 1])
def test_equal_voxels_share_the_gradient_of_max(value):
    voxels = tf.Variable(np.full((1, 4, 4, 4), value, np.float32))
    with tf.GradientTape() as tape:
        masks = make(4, ORTHOGRAPHIC, pooling="max")([voxels, np.zeros((1, 2), "f")])
    gradient = tf.convert_to_tensor(tape.gradient(masks, voxels)).numpy()
    assert (gradient == gradient[0, 0, 0, 0]).all()
    assert (gradient[0].sum(axis=0) <= 1).all()  # with zeros outside the grid, if voxels are 0
    assert (gradient > 0).all()


@pytest.mark.parametrize("sampling", ["nearest", pytest.param("smooth", marks=pytest.mark.slow)])
@ALL_POOLINGS
def test_compiled_and_not_agree(sampling, pooling):
    voxels, viewpoints = tf.constant(random_grids(4, 16, 16, 16)) / 8, random_viewpoints(4)
    results = []
    for jit in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(voxels)
            masks = make(16, PERSPECTIVE, sampling, pooling, jit)([voxels, viewpoints])
        results.append((masks.numpy(), tape.gradient(masks, voxels).numpy()))
    np.testing.assert_allclose(*(masks for masks, _ in results), atol=1e-5)
    np.testing.assert_allclose(*(gradient for _, gradient in results), atol=1e-4)
    assert np.isfinite(results[0][1]).all()


# A Keras layer


def test_runs_in_a_tf_function():
    inputs = [random_grids(2, 6, 6, 6), random_viewpoints(2)]
    np.testing.assert_array_equal(tf.function(make(8))(inputs), make(8)(inputs))


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 9},
        {
            "image_size": 10,
            "camera": Camera(False, 3.0, 30.0),
            "sampling": "smooth",
            "pooling": "max",
            "jit_compile": False,
            "name": "p",
        },
    ],
)
def test_config_gives_the_same_projector(options):
    projector = Projector(**options)
    config = projector.get_config()
    assert Camera(**config["camera"]) == options.get("camera", Camera())
    assert all(config[name] == value for name, value in options.items() if name != "camera")
    assert Projector.from_config(config).get_config() == config
    same = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(projector))
    assert same.get_config() == config


def test_defaults_and_the_name_in_saved_models():
    same = Projector(32, Camera(), "nearest", "absorption", True, name="p").get_config()
    assert Projector(name="p").get_config() == same
    assert keras.saving.get_registered_name(Projector) == "ptn_semi>Projector"


@ALL_SAMPLINGS
def test_a_saved_keras_model_projects_the_same(sampling, tmp_path):
    projector = Projector(12, Camera(distance=2.0), sampling, jit_compile=False)
    inputs = keras.Input((8, 8, 8)), keras.Input((2,))
    masks = projector(inputs)
    assert masks.shape == (None, 12, 12, 1)
    model = keras.Model(inputs, masks)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    batch = random_grids(3, 8, 8, 8), random_viewpoints(3)
    expected = model.predict(batch, verbose=0)
    # Where TensorFlow optimizes the whole graph, an interpolation's last bit may differ.
    tolerance = 0 if sampling == "nearest" else 1e-7
    np.testing.assert_allclose(expected, projector(batch), rtol=0, atol=tolerance)
    np.testing.assert_array_equal(loaded.predict(batch, verbose=0), expected)


@pytest.mark.parametrize(
    ("voxels", "viewpoints", "what"),
    [
        ((2, 8, 8), (2, 2), "voxels"),
        ((2, 8, 8, 8, 1), (2, 2), "voxels"),
        ((2, 8, 8, 9), (2, 2), "voxels"),
        ((2, 9, 8, 8), (2, 2), "voxels"),
        ((2, 8, 8, 8), (2, 3), "viewpoints"),
        ((2, 8, 8, 8), (2,), "viewpoints"),
    ],
)
def test_bad_shapes_are_refused(voxels, viewpoints, what):
    with pytest.raises(ValueError, match=f"{what} are"):
        make(8)([np.zeros(voxels, np.float32), np.zeros(viewpoints, np.float32)])


def test_an_unknown_voxel_size_is_refused():
    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None))])
    def masks(voxels):
        return make(8)([voxels, tf.zeros((1, 2))])

    with pytest.raises(ValueError, match="known N"):
        masks(tf.zeros((1, 4, 4, 4)))


@pytest.mark.parametrize("option", [{"sampling": "cubic"}, {"pooling": "mean"}])
def test_unknown_ways_are_refused(option):
    with pytest.raises(ValueError, match="is one of"):
        Projector(8, **option)
