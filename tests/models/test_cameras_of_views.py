"""Models whose masks were taken by cameras of their own: training, viewpoints and predictions."""

import numpy as np
import pytest

from ptn_semi.projection import framed_views, geometry
from support.small_models import build, make_batch, parts, same, weights

VIEWS = {
    "elevation_range": (-20.0, 60.0),
    "roll_range": (-10.0, 10.0),
    "distance_range": (1.5, 6.0),
    "framed_share": 0.5,
}
SEMI = {"occupancy_weight": 1.0, "refine": True, "self_reconstruction_weight": 1.0}


@pytest.fixture(scope="module")
def model():
    return build(settings=VIEWS, **SEMI)


def batch_of(model, seed=0):
    ranges = model.settings.views
    batch = make_batch(seed=seed)
    for number, name in enumerate(("viewpoint_a", "viewpoint_b")):
        drawn = geometry.sample_viewpoints(3, [seed, number], ranges)
        batch[name] = framed_views.frame(batch["hull"], drawn)
    return batch


def test_every_network_learns(model):
    before = {name: weights(part) for name, part in parts(model).items()}
    results = model.train_step(batch_of(model))
    assert all(np.isfinite(value) for value in results.values())
    for name, part in parts(model).items():
        assert not same(weights(part), before[name])


def test_viewpoints_are_estimated_with_their_cameras(model):
    masks = batch_of(model)["view_a"][:, None]
    voxels, viewpoints = model.networks.predict_views(masks)
    assert voxels.shape == (3, 32, 32, 32) and viewpoints.shape == (3, 1, 7)
    distances = viewpoints[..., 3]
    assert (distances > 1.49).all() and (distances < 6.01).all()
    assert (viewpoints[..., 4] > 0).all()


def test_two_numbers_or_all_may_be_given(model):
    masks = batch_of(model)["view_a"][:, None]
    _, estimated = model.networks.predict_views(masks)
    angles = np.float32([[[10, 20]], [[0, 200]], [[40, 300]]])
    _, completed = model.networks.predict_views(masks, angles)
    np.testing.assert_array_equal(completed[..., :2], angles)
    assert completed.shape == (3, 1, 7)
    _, kept = model.networks.predict_views(masks, estimated)
    np.testing.assert_array_equal(kept, estimated)
    with pytest.raises(ValueError, match=r"\[3, 1, 2\] or \[3, 1, 7\]"):
        model.networks.predict_views(masks, angles[..., :1])


def test_networks_of_one_camera_start_those_of_many_but_for_vs_output(model):
    single = build(seed=1, **SEMI).networks
    many = build(settings=VIEWS, seed=2, **SEMI).networks
    *hidden, kernel, bias = weights(many.viewpoint_estimator)
    many.copy_weights(single)
    for name in ("encoder", "generator", "refiner"):
        assert same(weights(many.parts[name]), weights(single.parts[name]))
    *copied, same_kernel, same_bias = weights(many.viewpoint_estimator)
    assert same(copied, weights(single.viewpoint_estimator)[:-2]) and not same(copied, hidden)
    assert same([same_kernel, same_bias], [kernel, bias])
