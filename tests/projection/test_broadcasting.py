"""Batches of one, which go with each example of another batch, and unequal batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.projection.back_projection import BackProjection
from support.projections import ALL_SAMPLINGS, make, project, random_grids, random_viewpoints

VOXELS, VIEWPOINTS = random_grids(3, 8, 8, 8), random_viewpoints(3)
IMAGES = random_grids(3, 8, 8, 2)
DIFFERENT = "voxels and viewpoints must be equally many, or a single one of either, not 3 and 2"


@ALL_SAMPLINGS
def test_one_viewpoint_shows_all_grids_and_one_grid_is_seen_from_all_viewpoints(sampling):
    projector = make(8, sampling=sampling)
    seen = projector([VOXELS, VIEWPOINTS[:1]])[..., 0]
    expected = project(VOXELS, VIEWPOINTS[[0, 0, 0]], sampling=sampling)
    np.testing.assert_array_equal(seen, expected)
    seen = projector([VOXELS[:1], VIEWPOINTS])[..., 0]
    expected = project(VOXELS[[0, 0, 0]], VIEWPOINTS, sampling=sampling)
    np.testing.assert_array_equal(seen, expected)
    assert len(np.unique(expected.sum(axis=(1, 2)))) == 3


@ALL_SAMPLINGS
def test_unequal_batches_are_refused(sampling):
    projector = make(8, sampling=sampling)
    with pytest.raises(ValueError, match=DIFFERENT):
        projector([VOXELS, VIEWPOINTS[:2]])
    with pytest.raises(ValueError, match="not 2 and 3"):
        projector([VOXELS[:2], VIEWPOINTS])
    with pytest.raises(ValueError, match=DIFFERENT):
        projector([keras.Input((8, 8, 8), batch_size=3), keras.Input((2,), batch_size=2)])


@ALL_SAMPLINGS
def test_batches_of_sizes_that_a_graph_does_not_know(sampling):
    projector = make(8, sampling=sampling)
    shapes = [tf.TensorSpec([None, *x.shape[1:]]) for x in (VOXELS, VIEWPOINTS)]
    graph = tf.function(lambda *inputs: projector(inputs), input_signature=shapes, autograph=False)
    for voxels, viewpoints in (
        (VOXELS, VIEWPOINTS),
        (VOXELS, VIEWPOINTS[:1]),
        (VOXELS[:1], VIEWPOINTS),
        (VOXELS[:0], VIEWPOINTS[:1]),
    ):
        expected = projector([voxels, viewpoints])
        np.testing.assert_allclose(graph(voxels, viewpoints), expected, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
        graph(VOXELS, VIEWPOINTS[:2])


@ALL_SAMPLINGS
def test_gradients_are_summed_over_the_copies(sampling):
    projector, upstream = make(8, sampling=sampling), random_grids(3, 8, 8, 1, seed=1)

    def gradients(voxels, viewpoints):
        voxels, viewpoints = tf.Variable(voxels), tf.Variable(viewpoints)
        with tf.GradientTape() as tape:
            masks = projector([voxels, viewpoints])
        return tape.gradient(masks, [voxels, viewpoints], upstream)

    one, to_viewpoints = gradients(VOXELS[:1], VIEWPOINTS)
    three, expected = gradients(VOXELS[[0, 0, 0]], VIEWPOINTS)
    np.testing.assert_allclose(one[0], np.sum(three, axis=0), rtol=1e-4, atol=1e-6)
    if sampling == "smooth":  # the other has no gradient to the viewpoints
        np.testing.assert_allclose(to_viewpoints, expected, rtol=1e-5)
        one, three = (gradients(VOXELS, VIEWPOINTS[rows])[1] for rows in ([0], [0, 0, 0]))
        np.testing.assert_allclose(one[0], np.sum(three, axis=0), rtol=1e-4)


@ALL_SAMPLINGS
def test_a_keras_model_with_a_constant_viewpoint_takes_any_batch(sampling):
    voxels = keras.Input((8, 8, 8))
    masks = make(8, sampling=sampling)([voxels, tf.constant(VIEWPOINTS[:1])])
    assert masks.shape == (None, 8, 8, 1)
    model = keras.Model(voxels, masks)
    for count in (1, 2, 3):
        seen = model.predict(VOXELS[:count], verbose=0)[..., 0]
        expected = project(VOXELS[:count], VIEWPOINTS[[0] * count], sampling=sampling)
        np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_back_projection_takes_batches_of_one():
    layer = BackProjection(4)
    one = layer(IMAGES, VIEWPOINTS[:1])
    np.testing.assert_array_equal(one, layer(IMAGES, VIEWPOINTS[[0, 0, 0]]))
    np.testing.assert_array_equal(
        layer(IMAGES[:1], VIEWPOINTS), layer(IMAGES[[0, 0, 0]], VIEWPOINTS)
    )
    with pytest.raises(ValueError, match="images and viewpoints must be equally many"):
        layer(IMAGES, VIEWPOINTS[:2])
    images = keras.Input((8, 8, 2))
    model = keras.Model(images, layer(images, tf.constant(VIEWPOINTS[:1])))
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), one)
    # The gradient of a single image is the sum over the grids that read it.
    image = tf.Variable(IMAGES[:1])
    with tf.GradientTape() as tape:
        grids = layer(image, VIEWPOINTS)
    read = tape.gradient(grids, image).numpy().sum()
    assert read == pytest.approx(np.count_nonzero(grids), abs=0.5) and read > 100
