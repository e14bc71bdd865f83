"""The training step: what it changes, what it draws, that it repeats itself bit for bit."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.data import batches
from ptn_semi.data.splits import Shapes
from ptn_semi.models import architectures, loss_settings, losses, train_steps, viewpoint_bins
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.reconstructor import OPTIMIZERS, LossSettings, SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera
from ptn_semi.projection.projector import Projector
from tiny import TINY

SUPERVISED = {"reconstruction_loss", "latent_invariance_loss", "voxel_invariance_loss"}
ADVERSARIAL = {
    "generator_loss",
    "discriminator_loss",
    "discriminator_accuracy",
    "gradient_penalty",
}
NETWORKS = ("encoder", "generator", "discriminator")
OURS = {"occupancy_loss", "viewpoint_loss", "self_reconstruction_loss"}
SELF = {"occupancy_weight": 1.0, "self_reconstruction_weight": 1.0}  # what is ours, switched on
PROJECTOR = Projector(32, jit_compile=False)  # of all models here, so that it is traced once


def build(
    seed=0,
    freeze_encoder=False,
    learning_rate=1e-3,
    voxel_size=32,
    precision="float32",
    **loss_settings,
):
    reconstructor = SemiSupervisedReconstructor(
        TINY,
        voxel_size,
        loss_settings=LossSettings(**loss_settings),
        freeze_encoder=freeze_encoder,
        precision=precision,
        seed=seed,
    )
    reconstructor.projector = PROJECTOR
    reconstructor.compile(*(FusedAdam(learning_rate) for _ in OPTIMIZERS))
    return reconstructor


def make_batch(count=3, seed=0):
    def masks(name):
        return tf.cast(
            tf.random.stateless_uniform((count, 32, 32, 1), [seed, name]) < 0.3, "float32"
        )

    return {
        "view_a": masks(0),
        "view_b": masks(1),
        "unlabeled": masks(2),
        "hull": tf.random.stateless_uniform((count, 32, 32, 32), [seed, 5]) < 0.1,
        "viewpoint_a": geometry.sample_viewpoints(count, [seed, 3]),
        "viewpoint_b": geometry.sample_viewpoints(count, [seed, 4]),
    }


BATCH = make_batch()


def weights(network, kind="weights"):
    return [np.array(variable) for variable in getattr(network, kind)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def steps(reconstructor, count=1):
    for step in range(count):
        results = reconstructor.train_step(make_batch(seed=step))
    return results


@pytest.mark.parametrize(
    ("options", "changed", "names"),
    [
        ({"supervision": "labeled"}, {"encoder", "generator"}, SUPERVISED),
        ({"supervision": "unlabeled"}, {"generator", "discriminator"}, ADVERSARIAL),
        ({"supervision": "both"}, set(NETWORKS), SUPERVISED | ADVERSARIAL),
        ({"supervision": "labeled", "freeze_encoder": True}, {"generator"}, SUPERVISED),
        (
            {"supervision": "both", "freeze_encoder": True},
            {"generator", "discriminator"},
            SUPERVISED | ADVERSARIAL,
        ),
        ({"supervision": "both", "adversarial_weight": 0.0}, {"encoder", "generator"}, SUPERVISED),
        (
            {"supervision": "labeled", **SELF},
            {"encoder", "generator"},
            SUPERVISED | {"occupancy_loss"},
        ),
        (
            {"supervision": "both", "adversarial_weight": 0.0, **SELF},
            {"encoder", "generator", "viewpoint_estimator"},
            SUPERVISED | OURS,
        ),
        (
            {"supervision": "unlabeled", **SELF},
            {*NETWORKS, "viewpoint_estimator"},
            ADVERSARIAL | OURS,
        ),
        (
            {"supervision": "unlabeled", "freeze_encoder": True, **SELF},
            {"generator", "discriminator", "viewpoint_estimator"},
            ADVERSARIAL | OURS,
        ),
    ],
)
def test_a_step_changes_these_networks_alone(options, changed, names):
    reconstructor = build(**options)
    there = [*NETWORKS, "viewpoint_estimator"]
    if reconstructor.viewpoint_estimator is None:
        there.pop()
    before = {name: weights(getattr(reconstructor, name)) for name in there}
    results = steps(reconstructor)
    # Weights and batch norm's statistics alike.
    after = {name: weights(getattr(reconstructor, name)) for name in there}
    assert {name for name in there if not same(before[name], after[name])} == changed
    assert results.keys() == names
    assert all(np.isfinite(value) for value in results.values())
    assert reconstructor.steps.numpy() == 1


@pytest.mark.parametrize("gan_loss", losses.GAN_LOSSES)
@pytest.mark.parametrize("gradient_penalty", losses.GRADIENT_PENALTIES)
def test_each_gan_trains(gan_loss, gradient_penalty):
    reconstructor = build(
        supervision="unlabeled", gan_loss=gan_loss, gradient_penalty=gradient_penalty
    )
    assert all(np.isfinite(value) for value in steps(reconstructor, 2).values())


def test_losses_of_a_step_are_those_of_its_parts():
    # With both views alike, and seen from one place, each part can be worked out from outside.
    reconstructor = build(supervision="labeled", learning_rate=0.0)
    batch = BATCH | {"view_b": BATCH["view_a"], "viewpoint_b": BATCH["viewpoint_a"]}
    voxels = reconstructor(batch["view_a"], training=True)
    masks = reconstructor.projector([voxels, batch["viewpoint_a"]])
    difference = np.abs(masks - batch["view_a"])
    results = reconstructor.train_step(batch)
    expected = 2 * (difference + difference**2).mean()  # both of equation 1's terms
    assert float(results["reconstruction_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(results["latent_invariance_loss"]) == pytest.approx(0, abs=1e-8)
    assert float(results["voxel_invariance_loss"]) == pytest.approx(0, abs=1e-6)


def test_each_view_is_held_against_the_shape_of_the_other():
    reconstructor = build(supervision="labeled", learning_rate=0.0)
    seen = []
    projector = reconstructor.projector
    reconstructor.projector = lambda inputs: seen.append(inputs) or projector(inputs)
    steps(reconstructor)
    voxels, viewpoints = seen[0]
    latents = reconstructor.encoder(tf.concat([BATCH["view_b"], BATCH["view_a"]], 0), training=True)
    expected = reconstructor.generator(latents, training=True)
    np.testing.assert_allclose(voxels, expected, atol=1e-5)
    np.testing.assert_array_equal(
        viewpoints, tf.concat([BATCH["viewpoint_a"], BATCH["viewpoint_b"]], 0)
    )


SUPERVISED_WEIGHTS = (
    "reconstruction_weight",
    "latent_invariance_weight",
    "voxel_invariance_weight",
)


@pytest.mark.parametrize("weighted", [None, *SUPERVISED_WEIGHTS])
def test_a_supervised_loss_without_weight_does_nothing(weighted):
    options = dict.fromkeys(SUPERVISED_WEIGHTS, 0.0)
    if weighted:
        options[weighted] = 1.0
    reconstructor = build(supervision="labeled", **options)
    networks_before = [
        weights(network, "trainable_variables")
        for network in (reconstructor.encoder, reconstructor.generator)
    ]
    results = steps(reconstructor)
    unchanged = [
        same(weights(network, "trainable_variables"), before)
        for network, before in zip(
            (reconstructor.encoder, reconstructor.generator), networks_before, strict=True
        )
    ]
    # Equation 2 is of latents, which come before G.
    assert unchanged == [weighted is None, weighted in (None, "latent_invariance_weight")]
    assert all(value > 0 for value in results.values())  # still shown


def test_without_weights_for_unlabeled_masks_they_change_nothing():
    labeled, both = build(supervision="labeled"), build(adversarial_weight=0.0)
    steps(labeled, 2)
    steps(both, 2)
    for name in NETWORKS:
        assert same(weights(getattr(labeled, name)), weights(getattr(both, name)))


@pytest.mark.parametrize("weighted", ["occupancy_weight", "self_reconstruction_weight"])
def test_a_loss_of_ours_pulls_where_it_has_weight(weighted):
    off = dict.fromkeys(SUPERVISED_WEIGHTS, 0.0) | {"adversarial_weight": 0.0}
    runs = [
        build(**off, **{weighted: weight}, self_reconstruction_warmup=0) for weight in (0.0, 1.0)
    ]
    for run in runs:
        steps(run)
    for name in ("encoder", "generator"):
        idle, pulled = (weights(getattr(run, name), "trainable_variables") for run in runs)
        assert not same(idle, pulled)
    start = build(**off)
    assert same(
        weights(start.encoder, "trainable_variables"),
        weights(runs[0].encoder, "trainable_variables"),
    )


def test_self_reconstruction_warms_up_from_nothing():
    def first_step(**options):
        # Plain gradient descent, so that the step is as long as the weight.
        reconstructor = build(supervision="both", adversarial_weight=0.0, **options)
        reconstructor.compile(*(keras.optimizers.SGD(1.0) for _ in OPTIMIZERS))
        reconstructor.steps.assign(4)
        before = weights(reconstructor.generator, "trainable_variables")
        steps(reconstructor)
        after = weights(reconstructor.generator, "trainable_variables")
        return np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])

    off = dict.fromkeys(SUPERVISED_WEIGHTS, 0.0)
    whole, half = (
        first_step(**off, self_reconstruction_weight=0.1, self_reconstruction_warmup=steps)
        for steps in (0, 10)
    )
    assert np.linalg.norm(whole) > 0
    np.testing.assert_allclose(half, whole / 2, atol=1e-3 * abs(whole).max())


def test_an_unlabeled_mask_is_seen_from_the_likeliest_viewpoint_that_fits_it_best():
    reconstructor = build(self_reconstruction_weight=1.0)
    voxels = np.zeros((2, 32, 32, 32), np.float32)
    voxels[:, 4:28, 4:12, 13:19] = 1  # long in x, flat
    voxels[:, 4:8, 4:28, 13:19] = 1  # and upright at one end
    true = np.array([[10, 101.25], [10, 281.25]], np.float32)  # middles of bins 4 and 12
    masks = tf.cast(PROJECTOR([voxels, true]) > 0, tf.float32)
    answers = np.zeros((2, viewpoint_bins.NUM_BINS, viewpoint_bins.NUM_OUTPUTS), np.float32)
    answers[:, [0, 4, 8, 12], 0] = 1  # these four bins are likeliest, whatever the mask
    reconstructor.viewpoint_estimator = lambda masks, training: tf.constant(answers)
    found = train_steps._fitting_viewpoints(reconstructor, masks, tf.constant(voxels))
    np.testing.assert_allclose(found, true, atol=1e-3)


def test_without_labels_encoder_learns_shapes_that_the_generator_makes():
    seen = drawn(build(supervision="unlabeled", occupancy_weight=1.0), 2)
    # The first projection of a step is of a generated shape, warped: solid, and another each time.
    assert set(np.unique(seen[0][0])) <= {0, 1}
    assert (seen[0][1] != seen[1][1]).any()


def test_without_labels_there_has_to_be_a_gan():
    with pytest.raises(ValueError, match="adversarial_weight"):
        LossSettings(supervision="unlabeled", adversarial_weight=0.0)


def test_a_gradient_penalty_without_weight_does_nothing():
    runs = [
        build(supervision="unlabeled", gradient_penalty=name, gradient_penalty_weight=weight)
        for name, weight in (("dragan", 0.0), ("r1", 0.0), ("r1", 10.0))
    ]
    for run in runs:
        steps(run)
    off, also_off, on = (weights(run.discriminator) for run in runs)
    assert same(off, also_off)
    assert not same(off, on)


def test_batch_norm_statistics_are_of_reconstructions_unless_there_are_none():
    moving = {}
    for supervision in loss_settings.SUPERVISIONS:
        reconstructor = build(supervision=supervision)
        before = weights(reconstructor.generator, "non_trainable_variables")
        steps(reconstructor)
        moving[supervision] = weights(reconstructor.generator, "non_trainable_variables")
        assert not same(before, moving[supervision])
    assert same(moving["both"], moving["labeled"])
    assert not same(moving["both"], moving["unlabeled"])


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


class Seen(Exception):  # noqa: N818, it is no error
    """Ends a step at its first projection."""


def drawn(reconstructor, count):
    """The first voxels and viewpoints that each of some steps projects; nothing is learned."""
    seen = []

    def projector(inputs):
        seen.append([x.numpy() for x in inputs])
        raise Seen

    reconstructor.projector = projector
    for _ in range(count):
        with pytest.raises(Seen):
            reconstructor.train_step(BATCH)
        reconstructor.steps.assign_add(1)
    return seen


def test_latents_and_viewpoints_are_fresh_in_every_step():
    options = {"supervision": "unlabeled"}
    seen, again, other = (drawn(build(seed=seed, **options), 3) for seed in (0, 0, 1))
    for index in range(2):  # voxels, then viewpoints
        values = [step[index] for step in seen]
        assert (values[0] != values[1]).any()
        assert (values[1] != values[2]).any()
        assert same(values, [step[index] for step in again])
        assert (values[0] != other[0][index]).any()
    viewpoints = np.concatenate([step[1] for step in seen])
    assert len(np.unique(viewpoints[:, 0])) == len(viewpoints)
    for values, (low, high) in zip(viewpoints.T, (ELEVATION_RANGE, AZIMUTH_RANGE), strict=True):
        assert low <= values.min() < values.max() <= high


def test_fakes_are_seen_from_the_models_own_ranges():
    reconstructor = SemiSupervisedReconstructor(
        TINY,
        loss_settings=LossSettings(supervision="unlabeled"),
        elevation_range=(5, 6),
        azimuth_range=(-30, -20),
    )
    reconstructor.compile(*(keras.optimizers.SGD(0.0) for _ in NETWORKS))
    viewpoints = drawn(reconstructor, 1)[0][1]
    assert ((viewpoints > (5, -30)) & (viewpoints < (6, -20))).all()


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
