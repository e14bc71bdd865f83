"""The model that is trained: its optimizers, its EMA, its config and Keras' own `save`."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.data import batches
from ptn_semi.data.splits import Shapes
from ptn_semi.evaluation import metrics
from ptn_semi.models import architectures, voxel_metrics
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera
from support.small_models import (
    ADVERSARIAL,
    BATCH,
    REFINING,
    SUPERVISED,
    build,
    parts,
    replace_projectors,
    same,
    steps,
    weights,
)
from support.supervisions import supervise
from support.tiny_networks import TINY


def test_optimizers_have_their_variables_before_the_first_step():
    model = build(**REFINING)
    paths = lambda: [v.path for o in model.built_optimizers.values() for v in o.variables]
    before = paths()
    trained = sum(len(part.trainable_variables) for part in parts(model).values())
    assert len(before) == 2 * 5 + 2 * trained  # Adam's steps and rates, and two moments each
    steps(model)
    assert paths() == before


def test_a_missing_optimizer_is_named():
    model = SemiSupervisedReconstructor(ModelSettings(TINY), LossSettings(**REFINING))
    with pytest.raises(ValueError, match=r"viewpoint_estimator: .* a viewpoint_optimizer"):
        model.compile(*(keras.optimizers.SGD() for _ in range(3)))


def five(make):
    return [make() for _ in range(5)]


@pytest.mark.parametrize(
    ("optimizers", "said"),
    [
        (five(lambda: "adam"), "encoder_optimizer must be a Keras optimizer, not 'adam'"),
        (five(lambda: keras.optimizers.SGD), "encoder_optimizer must be a Keras optimizer"),
        ([keras.optimizers.SGD()] * 5, "each network needs an optimizer of its own"),
        (five(keras.optimizers.SGD)[:3], "give compile.* a viewpoint_optimizer"),
        (five(keras.optimizers.SGD)[:4], "give compile.* a refiner_optimizer"),
    ],
)
def test_wrong_optimizers_are_refused_and_the_model_stays_uncompiled(optimizers, said):
    model = SemiSupervisedReconstructor(ModelSettings(TINY), LossSettings(**REFINING))
    with pytest.raises(ValueError, match=said):
        model.compile(*optimizers)
    with pytest.raises(ValueError, match=r"by compile\(\) before it is trained"):
        model.train_step(BATCH)
    with pytest.raises(ValueError, match="call `compile"):
        model.fit(BATCH)


def test_keras_train_on_batch_takes_a_training_step():
    model, other = build(supervision="labeled"), build(supervision="labeled")
    results = model.train_on_batch(BATCH, return_dict=True)
    expected = other.train_step(BATCH)
    assert results.keys() == expected.keys() == SUPERVISED and model.steps.numpy() == 1
    for name, value in expected.items():
        np.testing.assert_allclose(results[name], value, rtol=1e-4)


def test_keras_refuses_other_batches():
    model = build()
    said = "a batch must be a dict of view_a, view_b, viewpoint_a, viewpoint_b, unlabeled, without"
    for batch in ({"view_a": BATCH["view_a"]}, (BATCH["view_a"], BATCH["hull"])):
        with pytest.raises(ValueError, match=said):
            model.train_step(batch)
    model = build(**REFINING)
    with pytest.raises(ValueError, match="viewpoint_b, hull, warp_strength, without"):
        model.train_step({name: BATCH[name] for name in BATCH if name != "hull"})


def test_evaluation_needs_pairs_of_masks_and_voxels():
    model, data = build(), tf.data.Dataset.from_tensors(BATCH)
    for evaluate in (
        lambda: model.evaluate(data, verbose=0),
        lambda: model.test_on_batch(BATCH["view_a"]),
    ):
        with pytest.raises(ValueError, match=r"must be a tuple \(masks, voxels\), or batches of"):
            evaluate()


def test_keras_fit_trains_and_scores_the_ema(tmp_path):
    rng = np.random.default_rng(0)
    shapes = Shapes(
        model_ids=np.array([f"shape{i}" for i in range(6)]),
        categories=np.array(["chair"] * 6),
        viewpoints=rng.uniform(-20, 40, (6, 3, 2)).astype(np.float32),
        masks=rng.integers(0, 256, (6, 3, 128), np.uint8),
        voxels=None,
        image_size=32,
        voxel_size=32,
    )
    model = build()
    scores = [voxel_metrics.AveragePrecision(), voxel_metrics.VoxelIoU(0.4)]
    model.compile(*five(FusedAdam), metrics=scores)
    data = batches.batch_dataset(supervise(shapes, [0, 2]), batch_size=4, seed=0)
    masks, voxels = shapes.unpack_masks(slice(None), 0), rng.random((6, 32, 32, 32)) < 0.1
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", "val_average_precision", mode="max", save_best_only=True
    )
    history = model.fit(
        data,
        steps_per_epoch=2,
        epochs=2,
        validation_data=(masks > 0, voxels),
        callbacks=[best, keras.callbacks.TensorBoard(tmp_path)],
        verbose=0,
    ).history
    validation = {"val_average_precision", "val_iou_0.4"}
    assert history.keys() == SUPERVISED | ADVERSARIAL | validation
    assert np.isfinite(list(history.values())).all() and model.steps.numpy() == 4
    expected = metrics.average_precision(model.ema.predict(masks), voxels).mean()
    assert history["val_average_precision"][-1] == pytest.approx(expected, abs=1e-6)
    assert keras.saving.load_model(tmp_path / "best.keras").metrics[1].name == "iou_0.4"


CUSTOM = {
    "settings": ModelSettings(
        TINY, 64, 24, Camera(False, 2.0, 30.0), elevation_range=(0.0, 10.0), azimuth_range=(-5, 5)
    ),
    "loss_settings": LossSettings("labeled", 1.0, gan_loss="hinge"),
    "freeze_encoder": True,
    "ema_decay": 0.5,
    "precision": "mixed_bfloat16",
    "seed": 7,
    "name": "custom",
}


def test_config_gives_the_same_model():
    model = SemiSupervisedReconstructor(**CUSTOM)
    config = model.get_config()
    again = SemiSupervisedReconstructor.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert again.settings == model.settings == CUSTOM["settings"]
    assert same(weights(again), weights(model))  # the same seed


def test_the_ema_reconstructs_and_a_saved_keras_model_does_the_same(tmp_path):
    model, masks = build(), BATCH["view_a"]
    steps(model)
    np.testing.assert_array_equal(model(masks), model.ema.generator(model.ema.encoder(masks)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    replace_projectors(loaded)
    np.testing.assert_array_equal(loaded(masks), model(masks))
    assert loaded.steps.numpy() == 1
    # It goes on with the optimizers' state.
    steps(model), steps(loaded)
    assert same(weights(loaded), weights(model))
    assert not keras.saving.load_model(tmp_path / "model.keras", compile=False).compiled


@pytest.mark.slow
def test_losses_go_down_where_there_is_little_to_learn():
    model = build(supervision="labeled", learning_rate=1e-2)
    # Boxes seen from two sides.
    voxels = np.zeros((4, 32, 32, 32), np.float32)
    for i, box in enumerate(voxels):
        box[8:24, 4 : 12 + 4 * i, 10:22] = 1
    batch = dict(BATCH)
    for name, seed in (("a", 0), ("b", 1)):
        batch[f"viewpoint_{name}"] = geometry.sample_viewpoints(4, [seed, 0])
        masks = model.networks.projector([tf.constant(voxels), batch[f"viewpoint_{name}"]])
        batch[f"view_{name}"] = tf.cast(masks > 0, tf.float32)
    train_step = tf.function(model.train_step)
    history = [float(train_step(batch)["reconstruction_loss"]) for _ in range(40)]
    assert np.mean(history[-5:]) < 0.6 * np.mean(history[:5])


# After one step the warm-up allows 2/11.
@pytest.mark.parametrize(("ema_decay", "decay"), [(0.0, 0.0), (0.1, 0.1), (0.99, 2 / 11)])
def test_the_ema_lies_between_old_and_new_weights(ema_decay, decay):
    model = build()
    model.ema_decay = ema_decay
    before = weights(model.ema)
    steps(model)
    for old, average, new in zip(before, weights(model.ema), weights(model.networks), strict=True):
        np.testing.assert_allclose(average, decay * old + (1 - decay) * new, rtol=1e-5, atol=1e-7)


def test_the_ema_of_a_frozen_encoder_stays_exactly_the_same():
    model = build(freeze_encoder=True)
    before = weights(model.ema.encoder)
    steps(model, 3)
    assert same(weights(model.ema.encoder), before)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"supervision": "lableled"}, "labeled"),
        ({"supervision": "unlabeled", "adversarial_weight": 0.0}, "adversarial_weight"),
    ],
)
def test_losses_that_cannot_train_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        LossSettings(**options)


def test_half_precision_computes_almost_the_same():
    single, half = (build(precision=precision) for precision in architectures.PRECISIONS)
    assert keras.config.dtype_policy().name == "float32"  # as it was
    for network in parts(half).values():
        assert {layer.compute_dtype for layer in network.layers} == {"bfloat16", "float32"}
        assert {weight.dtype for weight in network.weights} == {"float32"}
        assert network.output.dtype == "float32"
    results = single.train_step(BATCH), half.train_step(BATCH)
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=0.05, atol=0.01)
    assert not same(weights(single), weights(half))


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision must be one of float32, mixed_bfloat16"):
        build(precision="float16")
