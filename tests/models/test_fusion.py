"""One shape from several views."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import fusion
from ptn_semi.projection import geometry
from support.small_models import build

VIEWPOINTS = np.float32([[[10, 20], [0, 110], [30, 200]]])


def masks(count):
    shape = (2, count, 32, 32, 1)
    return np.float32(np.random.default_rng(0).random(shape) < 0.4)


@pytest.fixture(scope="module", params=[{}, {"mirror_answers": True}], ids=["plain", "mirrored"])
def model(request):
    made = build(supervision="labeled", occupancy_weight=1.0, refine=True, **request.param)
    # R starts as the identity, and G answers the same to all.
    for name in ("average_refiner", "average_generator", "average_viewpoint_estimator"):
        for number, weight in enumerate(getattr(made, name).trainable_weights):
            noise = tf.random.stateless_normal(weight.shape, [number, 7], stddev=0.3)
            weight.assign_add(noise)
    return made


def test_a_single_view_is_reconstructed_as_ever(model):
    given = masks(1)
    voxels, viewpoints = fusion.reconstruct_views(model, given)
    np.testing.assert_allclose(voxels, model.reconstruct(tf.constant(given[:, 0]))[0], atol=2e-6)
    assert viewpoints.shape == (2, 1, 2)


def test_the_order_of_views_does_not_matter(model):
    given = masks(3)
    voxels, viewpoints = fusion.reconstruct_views(model, given)
    turned, others = fusion.reconstruct_views(model, given[:, ::-1])
    np.testing.assert_allclose(voxels, turned, atol=1e-5)
    np.testing.assert_allclose(viewpoints, others[:, ::-1], atol=1e-2)
    assert voxels.shape == (2, 32, 32, 32) and 0 <= voxels.numpy().min() <= voxels.numpy().max() < 1


def test_given_viewpoints_are_kept_and_used(model):
    given = masks(3)[:1]
    voxels, viewpoints = fusion.reconstruct_views(model, given, VIEWPOINTS)
    np.testing.assert_array_equal(viewpoints, VIEWPOINTS)
    elsewhere, _ = fusion.reconstruct_views(model, given, VIEWPOINTS + np.float32([0, 40]))
    assert np.abs(voxels - elsewhere).max() > 0.01


@pytest.mark.parametrize("mirrored", [False, True])
def test_views_carve_what_they_see_outside_their_masks(mirrored):
    # Without R and V: the mean of what G says, less what is outside.
    model = build(supervision="labeled", mirror_answers=mirrored)
    assert model.average_refiner is None
    given = masks(3)[:1]
    plain, unknown = fusion.reconstruct_views(model, given)
    assert unknown is None
    carved, _ = fusion.reconstruct_views(model, given, VIEWPOINTS)
    logit = lambda p: np.log(p) - np.log1p(-p)
    loss = logit(plain.numpy()[0]) - logit(carved.numpy()[0])
    # Voxels at places whose pixel is empty in all views lose one for each view.
    centres = np.stack(np.meshgrid(*[(np.arange(32) + 0.5) / 32 - 0.5] * 3, indexing="ij"), -1)
    outside = np.zeros([32, 32, 32])
    for mask, viewpoint in zip(given[0], VIEWPOINTS[0], strict=True):
        matrix = geometry.projection_matrix(viewpoint, model.camera, 32)
        u, v, w = np.moveaxis(np.c_[centres.reshape(-1, 3), np.ones(32**3)] @ matrix.T, -1, 0)
        rows, columns = np.floor(v / w).astype(int), np.floor(u / w).astype(int)
        inside = (rows >= 0) & (rows < 32) & (columns >= 0) & (columns < 32)
        seen = mask[rows.clip(0, 31), columns.clip(0, 31), 0] * inside
        outside += (1 - seen).reshape(outside.shape)
    agreed = np.abs(loss - outside) < 0.05
    assert agreed.mean() > 0.98  # pixels' borders are rounded to either side
