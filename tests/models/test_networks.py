"""The networks that reconstruct: from one view and from several."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import architectures, networks, viewpoint_search
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.projection.back_projection import BackProjection
from support.small_models import BATCH, PROJECTOR, REFINING, build
from support.tiny_networks import TINY

VIEWPOINTS = np.float32([[[10, 20], [0, 110], [30, 200]]])
MASKS = BATCH["unlabeled"]
FLIP = {"flip_augmentation": True}
SYMMETRIC = {"flip_augmentation": True, "mirror_symmetric": True}


def random_masks(count):
    shape = (2, count, 32, 32, 1)
    return np.float32(np.random.default_rng(0).random(shape) < 0.4)


def with_random_weights(model):
    """The EMA, with noise: R starts as the identity, and G predicts the same for all masks."""
    for part in model.ema.parts.values():
        for number, weight in enumerate(w for w in part.weights if "kernel" in w.path):
            noise = tf.random.stateless_normal(weight.shape, [number, 7], stddev=0.1)
            weight.assign_add(noise)
    return model.ema


def assert_nearly_equal(voxels, expected):
    """Sums in another order move estimated viewpoints a little, and voxels to other pixels."""
    assert np.mean(np.abs(voxels - expected) > 1e-3) < 0.01


@pytest.fixture(scope="module", params=[{}, SYMMETRIC], ids=["plain", "symmetric"])
def refining(request):
    return with_random_weights(build(**REFINING, settings=request.param))


@pytest.mark.parametrize("voxel_size", architectures.VOXEL_SIZES)
def test_masks_are_reconstructed_one_by_one(voxel_size):
    model, _ = networks.build_networks(ModelSettings(TINY, voxel_size))
    voxels = model(MASKS).numpy()
    assert voxels.shape == (3, voxel_size, voxel_size, voxel_size)
    assert 0 <= voxels.min() < voxels.max() <= 1
    np.testing.assert_allclose(model(MASKS[:1])[0], voxels[0], atol=1e-6)


def test_the_refiner_corrects_from_the_viewpoint_that_fits():
    model = with_random_weights(build(**REFINING))
    voxels = model.generator(model.encoder(MASKS))
    viewpoints = viewpoint_search.search_viewpoints(
        model.viewpoint_estimator(MASKS), MASKS, voxels, PROJECTOR, model.viewpoint_bins, 8
    )
    expected = model.refiner([voxels, MASKS, viewpoints])
    np.testing.assert_array_equal(model(MASKS), expected)
    assert abs(expected - voxels).numpy().max() > 0.01


def test_a_mirrored_mask_has_the_mirrored_viewpoint_and_shape():
    model = with_random_weights(build(**REFINING, settings=FLIP))
    voxels, _, viewpoints = model.reconstruct(MASKS[:, None])
    mirrored, _, others = model.reconstruct(MASKS[:, None, :, ::-1])
    assert_nearly_equal(voxels, mirrored[..., ::-1])
    difference = (viewpoints[..., 1] + others[..., 1] + 180) % 360 - 180
    assert np.abs(difference).max() < 1 and np.abs(viewpoints - others)[..., 0].max() < 1


def test_symmetric_shapes_have_symmetric_voxels():
    model = with_random_weights(build(**REFINING, settings=SYMMETRIC))
    voxels = model.predict(MASKS)
    np.testing.assert_allclose(voxels, voxels[..., ::-1], atol=1e-6)
    plain = with_random_weights(build(**REFINING, settings=FLIP)).predict(MASKS)
    assert np.abs(voxels - plain).max() > 1e-3


def test_flip_augmentation_mirrors_predictions_with_their_masks():
    model = with_random_weights(build(supervision="labeled", settings=FLIP))
    voxels, mirrored = model(MASKS), model(MASKS[:, :, ::-1])
    np.testing.assert_allclose(voxels, mirrored[..., ::-1], atol=1e-6)
    plain = model.generator(model.encoder(MASKS))
    assert abs(voxels - plain).numpy().max() > 1e-4
    latents = model.reconstruct(MASKS[:, None]).latents
    np.testing.assert_allclose(latents[:, 0], model.encoder(MASKS), atol=1e-6)


def test_predict_compiles_the_call(refining):
    assert_nearly_equal(refining.predict(MASKS), refining(MASKS))


def test_config_gives_the_same_networks():
    settings = ModelSettings(TINY, has_viewpoint_estimator=True, has_refiner=True)
    model, _ = networks.build_networks(settings, "mixed_bfloat16")
    again = networks.Networks.from_config(model.get_config())
    assert again.settings == settings and again.parts.keys() == model.parts.keys()
    assert again.encoder.dtype_policy.name == "mixed_bfloat16"


def test_the_order_of_views_does_not_matter(refining):
    masks = random_masks(3)
    voxels, _, viewpoints = refining.reconstruct(masks)
    reordered, _, others = refining.reconstruct(masks[:, ::-1])
    assert_nearly_equal(voxels, reordered)
    np.testing.assert_allclose(viewpoints, others[:, ::-1], atol=1e-2)
    assert voxels.shape == (2, 32, 32, 32) and 0 <= voxels.numpy().min() <= voxels.numpy().max() < 1


def test_given_viewpoints_are_kept_and_used(refining):
    masks = random_masks(3)[:1]
    voxels, viewpoints = refining.predict_views(masks, VIEWPOINTS)
    np.testing.assert_array_equal(viewpoints, VIEWPOINTS)
    elsewhere, _ = refining.predict_views(masks, VIEWPOINTS + np.float32([0, 40]))
    assert np.abs(voxels - elsewhere).max() > 0.01


@pytest.mark.parametrize("settings", [{}, FLIP])
def test_views_carve_what_they_see_outside_their_masks(settings):
    # Without R and V: the mean of what G predicts, less what is outside.
    model, _ = networks.build_networks(ModelSettings(TINY, **settings))
    masks = random_masks(3)[:1]
    plain, _, unknown = model.reconstruct(masks)
    assert unknown is None
    carved = model.reconstruct(masks, VIEWPOINTS).voxels
    logit = lambda p: np.log(p) - np.log1p(-p)
    lost = logit(plain.numpy()[0]) - logit(carved.numpy()[0])
    seen = BackProjection(32)(tf.constant(masks[0]), tf.constant(VIEWPOINTS[0]))
    agreed = np.abs(lost - np.sum(1 - seen[..., 0], axis=0)) < 0.05  # one for each view
    assert agreed.mean() > 0.98  # mirrored, borders of pixels are rounded to the other side
