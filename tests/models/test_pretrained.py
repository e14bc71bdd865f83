"""The model that comes with the package: what is kept of it, and what refuses it."""

import json

import numpy as np
import pytest

from ptn_semi.models import networks, pretrained
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.utils.errors import UserError
from support.tiny_networks import TINY

SETTINGS = ModelSettings(TINY, has_viewpoint_estimator=True, has_refiner=True)
INFO = ModelInfo(SETTINGS, threshold=0.4, extent=0.8, categories=("chair",), step=3)


@pytest.fixture(scope="module")
def model():
    return networks.build_networks(SETTINGS)[0]


@pytest.fixture
def folder(model, tmp_path):
    pretrained.write(model, INFO, tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_weights_are_kept_in_half_precision(model, folder):
    read, info = pretrained.read(folder)
    assert info == INFO
    for before, after in zip(model.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-6)
    assert {path.name for path in folder.iterdir()} == {"model.json", "model.npz"}


@pytest.mark.parametrize("kind", ["weights", "description", "missing"])
def test_damage_is_found(folder, kind):
    path = folder / ("model.npz" if kind == "weights" else "model.json")
    data = bytearray(path.read_bytes())
    if kind == "weights":
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    elif kind == "description":
        description = json.loads(data)
        del description["settings"]["architecture"]
        path.write_text(json.dumps(description))
    else:
        path.unlink()
    with pytest.raises(UserError, match="install ptn_semi again"):
        pretrained.read(folder)
