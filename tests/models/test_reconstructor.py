"""The training step: what it changes, what it draws, that it repeats itself bit for bit."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.data import batches
from ptn_semi.data.splits import Shapes
from ptn_semi.models import architectures, viewpoint_search
from ptn_semi.models.reconstructor import OPTIMIZERS, LossSettings, SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera
from support.small_models import (
    ADVERSARIAL,
    BATCH,
    NETWORKS,
    PROJECTOR,
    SUPERVISED,
    build,
    same,
    steps,
    weights,
)
from support.tiny_networks import TINY


def state(reconstructor):
    optimizers = (getattr(reconstructor, name) for name in OPTIMIZERS[:3])
    kept = [*reconstructor.variables, *(v for o in optimizers for v in o.variables)]
    return [np.array(variable) for variable in kept]


@pytest.mark.slow
def test_a_seed_gives_the_same_bits_and_another_others():
    runs = [build(seed=seed) for seed in (3, 3, 4)]
    assert same(state(runs[0]), state(runs[1]))
    for run in runs[:2]:
        steps(run, 2)
    assert same(state(runs[0]), state(runs[1]))
    first, other = (weights(run.encoder, "trainable_variables") for run in (runs[0], runs[2]))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1)


def test_optimizers_have_their_variables_before_the_first_step():
    reconstructor = build()
    for name, network in zip(OPTIMIZERS, NETWORKS, strict=False):
        optimizer = getattr(reconstructor, name)
        trainable = getattr(reconstructor, network).trainable_variables
        assert len(optimizer.variables) == 2 + 2 * len(trainable)  # Adam's steps and rate, m and v
    before = [v.path for name in OPTIMIZERS for v in getattr(reconstructor, name).variables]
    steps(reconstructor)
    after = [v.path for name in OPTIMIZERS for v in getattr(reconstructor, name).variables]
    assert before == after


def random_shapes(num_shapes=6, num_views=3, size=32):
    rng = np.random.default_rng(0)
    return Shapes(
        model_ids=np.array([f"shape{i}" for i in range(num_shapes)]),
        categories=np.array(["chair"] * num_shapes),
        viewpoints=rng.uniform(-20, 40, (num_shapes, num_views, 2)).astype(np.float32),
        masks=rng.integers(0, 256, (num_shapes, num_views, size * size // 8), np.uint8),
        voxels=None,
        image_size=size,
        voxel_size=32,
    )


@pytest.mark.slow
def test_fit_runs_on_batches_and_traces_once():
    reconstructor, traced = build(), []
    train_step = reconstructor.train_step
    reconstructor.train_step = lambda batch: traced.append(1) or train_step(batch)
    data = batches.batch_dataset(random_shapes(), [0, 2], 3, batch_size=4, seed=0)
    history = reconstructor.fit(data, steps_per_epoch=2, epochs=2, verbose=0).history
    assert history.keys() == SUPERVISED | ADVERSARIAL
    assert np.isfinite(list(history.values())).all()
    assert reconstructor.steps.numpy() == 4 and len(traced) == 1


@pytest.mark.parametrize("voxel_size", architectures.VOXEL_SIZES)
def test_call_maps_masks_to_voxels_one_by_one(voxel_size):
    reconstructor = build(voxel_size=voxel_size)
    voxels = reconstructor(BATCH["view_a"]).numpy()
    assert voxels.shape == (3, voxel_size, voxel_size, voxel_size)
    assert 0 <= voxels.min() < voxels.max() <= 1
    np.testing.assert_allclose(reconstructor(BATCH["view_a"][:1])[0], voxels[0], atol=1e-6)


CUSTOM = {
    "voxel_size": 64,
    "image_size": 24,
    "camera": Camera(False, 2.0, 30.0),
    "loss_settings": LossSettings("labeled", 1.0, gan_loss="hinge"),
    "freeze_encoder": True,
    "average_decay": 0.5,
    "elevation_range": (0.0, 10.0),
    "azimuth_range": (-5.0, 5.0),
    "precision": "mixed_bfloat16",
    "seed": 7,
    "name": "custom",
}


@pytest.mark.parametrize("options", [{}, CUSTOM])
def test_config_gives_the_same_model(options):
    reconstructor = SemiSupervisedReconstructor(TINY, **options)
    config = reconstructor.get_config()
    same_model = SemiSupervisedReconstructor.from_config(json.loads(json.dumps(config)))
    assert same_model.get_config() == config
    for name, value in {"architecture": TINY, **options}.items():
        assert getattr(same_model, name) == value
    assert same(weights(same_model), weights(reconstructor))  # the same seed


def test_a_saved_keras_model_reconstructs_the_same(tmp_path):
    reconstructor = build()
    steps(reconstructor)
    reconstructor.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded(BATCH["view_a"]), reconstructor(BATCH["view_a"]))
    assert loaded.steps.numpy() == 1


@pytest.mark.slow
def test_losses_go_down_where_there_is_little_to_learn():
    reconstructor = build(supervision="labeled", learning_rate=1e-2)
    # A box seen from both sides.
    voxels = np.zeros((4, 32, 32, 32), np.float32)
    for i, box in enumerate(voxels):
        box[8:24, 4 : 12 + 4 * i, 10:22] = 1
    batch = dict(BATCH)
    for name, seed in (("a", 0), ("b", 1)):
        batch[f"viewpoint_{name}"] = geometry.sample_viewpoints(4, [seed, 0])
        masks = reconstructor.projector([tf.constant(voxels), batch[f"viewpoint_{name}"]])
        batch[f"view_{name}"] = tf.cast(masks > 0, tf.float32)
    train_step = tf.function(reconstructor.train_step)
    history = [float(train_step(batch)["reconstruction_loss"]) for _ in range(40)]
    assert np.mean(history[-5:]) < 0.6 * np.mean(history[:5])


def test_without_decay_the_averages_are_the_weights():
    reconstructor = build()
    reconstructor.average_decay = 0.0
    steps(reconstructor, 2)
    assert same(weights(reconstructor.average_encoder), weights(reconstructor.encoder))
    assert same(weights(reconstructor.average_generator), weights(reconstructor.generator))


def test_averages_lie_between_old_and_new_weights():
    reconstructor = build()
    reconstructor.average_decay = 0.1  # below the warm-up's 2/11 after one step
    before = weights(reconstructor.average_generator)
    steps(reconstructor)
    for old, average, new in zip(
        before,
        weights(reconstructor.average_generator),
        weights(reconstructor.generator),
        strict=True,
    ):
        np.testing.assert_allclose(average, 0.1 * old + 0.9 * new, rtol=1e-5, atol=1e-7)


def test_averages_reconstruct():
    reconstructor = build()
    steps(reconstructor, 2)
    mask = BATCH["unlabeled"]
    expected = reconstructor.average_generator(reconstructor.average_encoder(mask))
    np.testing.assert_array_equal(reconstructor(mask), expected)


def test_the_refiner_answers_from_the_viewpoint_that_fits():
    reconstructor = build(
        supervision="labeled", occupancy_weight=1.0, refine=True, learning_rate=0.1
    )
    steps(reconstructor, 2)
    masks = BATCH["unlabeled"]
    voxels = reconstructor.average_generator(reconstructor.average_encoder(masks))
    viewpoints = viewpoint_search.fitting_viewpoints(
        reconstructor.average_viewpoint_estimator(masks),
        masks,
        voxels,
        PROJECTOR,
        reconstructor.elevation_range,
    )
    expected = reconstructor.average_refiner([voxels, masks, viewpoints])
    np.testing.assert_array_equal(reconstructor(masks), expected)
    assert abs(expected - voxels).numpy().max() > 0.01


def test_mirrored_answers_of_mirrored_masks_are_mirrored():
    reconstructor = build(mirror_answers=True)
    steps(reconstructor, 2)
    masks = BATCH["unlabeled"]
    voxels, mirrored = reconstructor(masks), reconstructor(masks[:, :, ::-1])
    np.testing.assert_allclose(voxels, mirrored[..., ::-1], atol=1e-6)
    plain = reconstructor.average_generator(reconstructor.average_encoder(masks))
    assert abs(voxels - plain).numpy().max() > 1e-4
    latents = reconstructor.reconstruct(masks)[1]
    np.testing.assert_allclose(latents, reconstructor.average_encoder(masks), atol=1e-6)


def test_average_of_a_frozen_encoder_stays_exactly_the_same():
    reconstructor = build(freeze_encoder=True)
    before = weights(reconstructor.average_encoder)
    steps(reconstructor, 3)
    assert same(weights(reconstructor.average_encoder), before)


def test_unknown_supervision_is_refused():
    with pytest.raises(ValueError, match="labeled"):
        LossSettings("lableled")


def test_half_precision_computes_almost_the_same():
    single, half = (build(precision=precision) for precision in architectures.PRECISIONS)
    assert keras.config.dtype_policy().name == "float32"  # as it was
    for name in NETWORKS:
        network = getattr(half, name)
        assert {layer.compute_dtype for layer in network.layers} == {"bfloat16", "float32"}
        assert {weight.dtype for weight in network.weights} == {"float32"}
        assert network.output.dtype == "float32"
    results = single.train_step(BATCH), half.train_step(BATCH)
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=0.05, atol=0.01)
    assert not same(weights(single), weights(half))


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision is one of float32, mixed_bfloat16"):
        build(precision="float16")
