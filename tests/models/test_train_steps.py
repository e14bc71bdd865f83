"""The training step: which networks each loss trains, and what is drawn for it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import loss_settings, semi_supervised
from ptn_semi.models.draws import Draws
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE
from support.small_models import (
    ADVERSARIAL,
    BATCH,
    PROJECTOR,
    REFINING,
    SUPERVISED,
    build,
    make_batch,
    parts,
    replace_projectors,
    same,
    steps,
    trainable,
    weights,
)

NETWORKS = ("encoder", "generator", "discriminator")
OURS = {"occupancy_loss", "viewpoint_loss", "self_reconstruction_loss"}
SELF = {"occupancy_weight": 1.0, "self_reconstruction_weight": 1.0}  # what is ours, switched on


@pytest.mark.parametrize(
    ("options", "changed", "names"),
    [
        ({"supervision": "labeled"}, {"encoder", "generator"}, SUPERVISED),
        ({"supervision": "unlabeled"}, {"generator", "discriminator"}, ADVERSARIAL),
        ({"supervision": "both"}, set(NETWORKS), SUPERVISED | ADVERSARIAL),
        ({"supervision": "labeled", "freeze_encoder": True}, {"generator"}, SUPERVISED),
        (
            {"supervision": "both", "adversarial_weight": 0.0, **SELF},
            {"encoder", "generator", "viewpoint_estimator"},
            SUPERVISED | OURS,
        ),
        (
            REFINING,
            {"encoder", "generator", "viewpoint_estimator", "refiner"},
            SUPERVISED | {"occupancy_loss", "viewpoint_loss", "refinement_loss"},
        ),
        (
            {"supervision": "unlabeled", "refine": True, **SELF},
            {*NETWORKS, "viewpoint_estimator"},
            ADVERSARIAL | OURS,
        ),
    ],
)
def test_a_step_changes_these_networks_only(options, changed, names):
    model = build(**options)
    before = {name: weights(part) for name, part in parts(model).items()}
    results = steps(model)
    # Weights and batch norm's statistics alike.
    after = {name: weights(part) for name, part in parts(model).items()}
    assert {name for name in before if not same(before[name], after[name])} == changed
    assert results.keys() == names
    assert all(np.isfinite(value) for value in results.values())
    assert model.steps.numpy() == 1


@pytest.mark.parametrize("image_size", [32, 64])
def test_losses_of_a_step_are_those_of_its_parts(image_size):
    # With both views alike, and seen from one place, each part can be worked out from outside.
    model = build(supervision="labeled", learning_rate=0.0, settings={"image_size": image_size})
    batch = make_batch(image_size=image_size)
    batch |= {"view_b": batch["view_a"], "viewpoint_b": batch["viewpoint_a"]}
    networks = model.networks
    latents = networks.encoder(batch["view_a"], training=True)
    voxels = networks.generator(latents, training=True)
    masks = PROJECTOR([voxels, batch["viewpoint_a"]])
    times = image_size // 32  # masks finer than the voxels are averaged
    views = batch["view_a"].numpy().reshape(3, 32, times, 32, times, 1).mean(axis=(2, 4))
    difference = np.abs(masks - views)
    results = model.train_step(batch)
    expected = 2 * (difference + difference**2).mean()  # both of equation 1's terms
    assert float(results["reconstruction_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(results["latent_invariance_loss"]) == pytest.approx(0, abs=1e-8)
    assert float(results["voxel_invariance_loss"]) == pytest.approx(0, abs=1e-6)


def test_each_view_is_compared_with_the_shape_of_the_other():
    model = build(supervision="labeled", learning_rate=0.0)
    seen = []
    replace_projectors(model, lambda inputs: seen.append(inputs) or PROJECTOR(inputs))
    steps(model)
    voxels, viewpoints = seen[0]
    networks = model.networks
    latents = networks.encoder(tf.concat([BATCH["view_b"], BATCH["view_a"]], 0), training=True)
    expected = networks.generator(latents, training=True)
    np.testing.assert_allclose(voxels, expected, atol=1e-5)
    np.testing.assert_array_equal(
        viewpoints, tf.concat([BATCH["viewpoint_a"], BATCH["viewpoint_b"]], 0)
    )


SUPERVISED_WEIGHTS = [
    f"{loss}_weight" for loss in ("reconstruction", "latent_invariance", "voxel_invariance")
]


@pytest.mark.parametrize("weighted", [None, *SUPERVISED_WEIGHTS, "occupancy_weight"])
def test_a_supervised_loss_without_weight_does_nothing(weighted):
    options = dict.fromkeys(SUPERVISED_WEIGHTS, 0.0)
    if weighted:
        options[weighted] = 1.0
    model = build(supervision="labeled", **options)
    trained = model.networks.encoder, model.networks.generator
    before = [trainable(network) for network in trained]
    results = steps(model)
    unchanged = [same(trainable(n), old) for n, old in zip(trained, before, strict=True)]
    # Equation 2 is of latents, which come before G.
    assert unchanged == [weighted is None, weighted in (None, "latent_invariance_weight")]
    assert all(value > 0 for value in results.values())  # still reported


def test_without_weights_for_unlabeled_masks_they_change_nothing():
    labeled, both = build(supervision="labeled"), build(adversarial_weight=0.0)
    steps(labeled, 2)
    steps(both, 2)
    assert same(weights(labeled), weights(both))


def test_self_reconstruction_warms_up_from_nothing():
    def first_step(**options):
        # Plain gradient descent, so that the step is as long as the weight.
        model = build(supervision="both", adversarial_weight=0.0, **options)
        model.compile(*(keras.optimizers.SGD(1.0) for _ in range(5)))
        model.steps.assign(4)
        before = trainable(model.networks.generator)
        steps(model)
        after = trainable(model.networks.generator)
        return np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])

    off = dict.fromkeys(SUPERVISED_WEIGHTS, 0.0)
    whole, half = (
        first_step(**off, self_reconstruction_weight=0.1, self_reconstruction_warmup=steps)
        for steps in (0, 10)
    )
    assert np.linalg.norm(whole) > 0
    np.testing.assert_allclose(half, whole / 2, atol=1e-3 * abs(whole).max())


def test_without_labels_encoder_learns_shapes_that_the_generator_makes():
    seen = drawn(build(supervision="unlabeled", occupancy_weight=1.0), 2)
    # The first projection of a step is of a generated shape, warped: solid, and another each time.
    assert set(np.unique(seen[0][0])) <= {0, 1}
    assert (seen[0][1] != seen[1][1]).any()


def test_a_gradient_penalty_without_weight_does_nothing():
    trained = []
    for name, weight in (("dragan", 0.0), ("r1", 0.0), ("r1", 10.0)):
        options = {"gradient_penalty": name, "gradient_penalty_weight": weight}
        model = build(supervision="unlabeled", gan_loss="hinge", **options)
        steps(model)
        trained.append(weights(model.discriminator))
    off, also_off, on = trained
    assert same(off, also_off) and not same(off, on)


def test_batch_norm_statistics_are_of_reconstructions_unless_there_are_none():
    moving = {}
    for supervision in loss_settings.SUPERVISIONS:
        model = build(supervision=supervision)
        statistics = model.networks.generator.non_trainable_variables
        before = [np.array(each) for each in statistics]
        steps(model)
        moving[supervision] = [np.array(each) for each in statistics]
        assert not same(before, moving[supervision])
    assert same(moving["both"], moving["labeled"])
    assert not same(moving["both"], moving["unlabeled"])


class Seen(Exception):  # noqa: N818, it is not an error
    """Ends a step at its first projection."""


def drawn(model, count):
    """The first voxels and viewpoints that each of some steps projects; nothing is learned."""
    seen = []

    def projector(inputs):
        seen.append([x.numpy() for x in inputs])
        raise Seen

    replace_projectors(model, projector)
    for _ in range(count):
        with pytest.raises(Seen):
            model.train_step(BATCH)
        model.steps.assign_add(1)
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
    ranges = {"elevation_range": (5, 6), "azimuth_range": (-30, -20)}
    model = build(supervision="unlabeled", settings=ranges)
    viewpoints = drawn(model, 1)[0][1]
    assert ((viewpoints > (5, -30)) & (viewpoints < (6, -20))).all()


@pytest.mark.parametrize(("image_size", "voxel_size"), [(64, 64), (24, 32)])
def test_masks_and_voxels_of_other_resolutions(image_size, voxel_size):
    model = build(
        occupancy_weight=1.0,
        refine=True,
        self_reconstruction_weight=1.0,
        settings={"image_size": image_size, "voxel_size": voxel_size},
    )
    before = {name: weights(part) for name, part in parts(model).items()}
    batch = make_batch(image_size=image_size, voxel_size=voxel_size)
    results = model.train_step(batch)
    assert all(np.isfinite(value) for value in results.values())
    for name, part in parts(model).items():
        assert not same(weights(part), before[name])
    # G does its part at 32³ and at no more than the masks' own resolution; R predicts at any.
    networks = model.networks
    assert networks.generator(networks.encoder(batch["view_a"])).shape == (3, 32, 32, 32)
    assert networks.projector.image_size == min(image_size, 32)
    assert model(batch["view_a"]).shape == (3, *(voxel_size,) * 3)


def test_the_refiner_is_shown_true_and_estimated_viewpoints(monkeypatch):
    model = build(**REFINING)
    shown, refiner = [], model.networks.refiner
    estimated = tf.fill((3, 2), 400.0)  # degrees, which no true viewpoint has
    monkeypatch.setattr(model.networks, "estimate_viewpoints", lambda *_: estimated)

    def spy(inputs, training):
        shown.append(inputs[2].numpy())
        return refiner(inputs, training=training)

    spy.trainable_variables = refiner.trainable_variables
    model.networks.refiner = spy
    model._supervised(BATCH, Draws(0, model.steps))
    assert (shown[0] == 400).tolist() == [[False, False], [True, True], [False, False]]


def test_masks_of_uncertain_hulls_show_their_likely_voxels(monkeypatch):
    model = build(supervision="labeled", occupancy_weight=1.0)
    hull = np.zeros((3, 32, 32, 32), np.float32)
    hull[:, 8:24, 8:24, 8:24] = 0.9
    hull[:, 4:8] = 0.1  # hardly likely
    keep = lambda voxels, seed, strength: voxels
    monkeypatch.setattr(semi_supervised.warps, "random_warp", keep)
    warped, masks, viewpoints = model._warp(tf.constant(hull), 0.25, Draws(0, model.steps))
    np.testing.assert_array_equal(warped, hull)
    expected = PROJECTOR([tf.cast(hull > 0.5, tf.float32), viewpoints[:, 0]]) > 0
    np.testing.assert_array_equal(masks[:, 0], tf.cast(expected, tf.float32))


def test_the_refiner_learns_from_every_so_many_hulls():
    some, all_of_them = build(**REFINING, refine_every=2), build(**REFINING)
    voxels, masks, viewpoints = BATCH["hull"], BATCH["view_a"], BATCH["viewpoint_a"]
    batch = voxels, masks, viewpoints, voxels
    loss = some._train_refiner(*batch)
    expected = all_of_them._train_refiner(*(values[::2] for values in batch))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    refiners = some.networks.refiner, all_of_them.networks.refiner
    for a, b in zip(*map(weights, refiners), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
