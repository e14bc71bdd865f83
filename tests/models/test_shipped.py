"""The model that comes with the package: what is kept of it, and what refuses it."""

import json

import numpy as np
import pytest

from ptn_semi.models import shipped
from ptn_semi.utils.errors import UserError
from support.small_models import build

KNOWN = {"threshold": 0.4, "extent": 0.8, "categories": ["chair"]}


@pytest.fixture(scope="module")
def model():
    return build(supervision="labeled", occupancy_weight=1.0, refine=True, seed=3)


@pytest.fixture
def folder(model, tmp_path):
    shipped.write(model, KNOWN | {"model": model.get_config()}, tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_weights_are_kept_in_half_precision(model, folder):
    read, known = shipped.read(folder)
    assert {name: known[name] for name in KNOWN} == KNOWN
    pairs = zip(*map(shipped.averaged_variables, (model, read)), strict=True)
    for before, after in pairs:
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-6)
    assert {path.name for path in folder.iterdir()} == {"model.json", "model.npz"}


def test_a_run_starts_from_it(model, folder):
    new = build(supervision="labeled", occupancy_weight=1.0, refine=True, seed=4)
    before = new.discriminator.get_weights()
    shipped.start_from(new, folder)
    for name in new.averaged_networks:
        for network in (getattr(new, name), getattr(new, f"average_{name}")):
            expected = getattr(model, f"average_{name}").get_weights()
            for weight, other in zip(network.get_weights(), expected, strict=True):
                np.testing.assert_allclose(weight, other, rtol=1e-3, atol=1e-6)
    for weight, other in zip(new.discriminator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, other)


def test_a_run_without_the_refiner_takes_what_it_has(folder):
    paper = build(supervision="labeled", seed=4)
    shipped.start_from(paper, folder)
    read, _ = shipped.read(folder)
    weights = zip(paper.generator.weights, read.average_generator.weights, strict=True)
    for weight, other in weights:
        np.testing.assert_array_equal(weight, other)


def test_another_architecture_is_refused(folder):
    message = "--init_from=pretrained has another architecture: it needs --model_voxel_size=32"
    with pytest.raises(UserError, match=message):
        shipped.start_from(build(voxel_size=64), folder)


@pytest.mark.parametrize("kind", ["weights", "description", "missing"])
def test_damage_is_found(folder, kind):
    path = folder / ("model.npz" if kind == "weights" else "model.json")
    data = bytearray(path.read_bytes())
    if kind == "weights":
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    elif kind == "description":
        told = json.loads(data)
        del told["model"]["architecture"]
        path.write_text(json.dumps(told))
    else:
        path.unlink()
    with pytest.raises(UserError, match="install ptn_semi again"):
        shipped.read(folder)
