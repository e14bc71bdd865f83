"""Gradients of the projector, and that compiled and plain ones agree."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from support.projections import (
    ALL_POOLINGS,
    ALL_SAMPLINGS,
    ORTHOGRAPHIC,
    PERSPECTIVE,
    make,
    project,
    random_grids,
    random_viewpoints,
)


@pytest.mark.parametrize(
    ("sampling", "pooling"), [("nearest", "absorption"), ("nearest", "max"), ("smooth", "max")]
)
def test_a_batch_is_its_examples_one_by_one(sampling, pooling):
    voxels, viewpoints = random_grids(5, 8, 8, 8), random_viewpoints(5)
    weights = random_grids(5, 12, 12, 1, seed=1) - 0.3

    def masks_and_gradient(part):
        with tf.GradientTape() as tape:
            variable = tf.Variable(voxels[part])
            masks = make(12, sampling=sampling, pooling=pooling)([variable, viewpoints[part]])
        return masks.numpy(), tape.gradient(masks, variable, weights[part]).numpy()

    together = masks_and_gradient(np.s_[:])
    assert (together[1] != 0).any(axis=(1, 2, 3)).all()
    for i in range(5):
        for alone, value in zip(masks_and_gradient(np.s_[i : i + 1]), together, strict=True):
            np.testing.assert_array_equal(alone[0], value[i])


@pytest.mark.parametrize(
    ("camera", "sampling", "pooling"),
    [
        (PERSPECTIVE, "nearest", "absorption"),
        (ORTHOGRAPHIC, "nearest", "probability"),
        (PERSPECTIVE, "nearest", "max"),
        (ORTHOGRAPHIC, "smooth", "absorption"),
        (PERSPECTIVE, "smooth", "probability"),
        (ORTHOGRAPHIC, "smooth", "max"),
    ],
)
def test_gradient_to_voxels_agrees_with_finite_differences(camera, sampling, pooling):
    size, image_size, step = 4, 6, 2e-3
    # All values differ by more than twice the step, so that the largest of a ray stays it. None is
    # near 1, above which probabilities stay the same.
    order = np.random.default_rng(2).permutation(size**3)
    voxels = (0.9 * (order + 1) / size**3).reshape(1, size, size, size).astype(np.float32)
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


@pytest.mark.parametrize(
    ("camera", "pooling"),
    [(PERSPECTIVE, "absorption"), (ORTHOGRAPHIC, "probability"), (PERSPECTIVE, "max")],
)
def test_gradient_to_viewpoint_agrees_with_finite_differences(camera, pooling):
    # A smooth lump off the centre.
    ticks = (np.arange(12) + 0.5) / 12 - 0.5
    x, y, z = np.meshgrid(ticks, ticks, ticks, indexing="ij")
    voxels = 0.3 * np.exp(-8 * ((x - 0.2) ** 2 + (y + 0.1) ** 2 + 3 * (z - 0.1) ** 2))
    voxels = voxels[None].astype(np.float32)
    weights = random_grids(10, 10, seed=4) - 0.3
    options = {"camera": camera, "sampling": "smooth", "pooling": pooling}
    for viewpoint in random_viewpoints(2, seed=5):
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


def test_nearest_sampling_has_no_gradient_to_the_viewpoint():
    viewpoints = tf.Variable([[10.0, 20.0]])
    with tf.GradientTape() as tape:
        masks = make(6)([random_grids(1, 6, 6, 6), viewpoints])
    assert tape.gradient(masks, viewpoints) is None


@ALL_POOLINGS
def test_gradients_are_added_up_alike_on_any_machine(pooling, monkeypatch):
    voxels, viewpoints = tf.constant(random_grids(3, 8, 8, 8)), random_viewpoints(3)
    weights = random_grids(3, 12, 12, 1, seed=1) - 0.3
    gradients = []
    # The way of a GPU runs on a CPU too; None where the number of cores cannot be told.
    for devices, cores in (([], 2), ([], 16), ([], None), (["a GPU"], 2)):
        with tf.device("CPU"), tf.GradientTape() as tape, monkeypatch.context() as patch:
            patch.setattr(tf.config, "list_physical_devices", lambda kind, found=devices: found)
            patch.setattr("os.cpu_count", lambda count=cores: count)
            tape.watch(voxels)
            masks = make(12, pooling=pooling)([voxels, viewpoints])
            gradients.append(tape.gradient(masks, voxels, weights).numpy())
    on_cpu, many, unknown, on_gpu = gradients
    np.testing.assert_array_equal(many, on_cpu)
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


@pytest.mark.parametrize(
    ("sampling", "pooling"),
    [
        ("nearest", "absorption"),
        ("nearest", "max"),
        pytest.param("smooth", "absorption", marks=pytest.mark.slow),
    ],
)
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


@ALL_SAMPLINGS
def test_a_saved_keras_model_projects_the_same(sampling, tmp_path):
    projector = Projector(12, Camera(distance=2.0), sampling, "probability", jit_compile=False)
    inputs = keras.Input((8, 8, 8)), keras.Input((2,))
    masks = projector(inputs)
    assert masks.shape == (None, 12, 12, 1)
    model = keras.Model(inputs, masks)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == projector.get_config()
    batch = random_grids(3, 8, 8, 8), random_viewpoints(3)
    expected = model.predict(batch, verbose=0)
    # Where TensorFlow optimizes the whole graph, an interpolation's last bit may differ.
    tolerance = 0 if sampling == "nearest" else 1e-7
    np.testing.assert_allclose(expected, projector(batch), rtol=0, atol=tolerance)
    np.testing.assert_array_equal(loaded.predict(batch, verbose=0), expected)


@pytest.mark.parametrize(
    ("voxels", "viewpoints", "what"),
    [
        ((2, 8, 8, 8, 1), (2, 2), "voxels"),
        ((2, 8, 8, 9), (2, 2), "voxels"),
        ((2, 8, 8, 8), (2, 3), "viewpoints"),
    ],
)
def test_bad_shapes_are_refused(voxels, viewpoints, what):
    with pytest.raises(ValueError, match=f"{what} are"):
        make(8)([np.zeros(voxels, np.float32), np.zeros(viewpoints, np.float32)])


@pytest.mark.parametrize("option", [{"sampling": "cubic"}, {"pooling": "mean"}])
def test_unknown_ways_are_refused(option):
    with pytest.raises(ValueError, match="is one of"):
        Projector(8, **option)
