"""Models as the package's own is kept: what is kept of them, and what refuses them."""

import hashlib
import io
import json
import zipfile

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
    with pytest.raises(UserError, match=r"export or download it again|correct the path"):
        pretrained.read(folder)


def replace_weights(folder, data):
    """Replaces the weights by others, with the right digest."""
    (folder / "model.npz").write_bytes(data)
    description = json.loads((folder / "model.json").read_text())
    description["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "model.json").write_text(json.dumps(description))


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def huge():
    """The weights of a 2 TB array, as its header says, which are packed in a few kB."""
    header = io.BytesIO()
    shape = {"descr": "<f2", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(header, shape)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", header.getvalue() + bytes(10**6))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK damaged",
        npz(),
        npz(arr_0=np.zeros(3, np.float16)),
        npz(arr_0=np.array([print], object)),
        huge(),
    ],
    ids=["no zip", "nothing", "another shape", "objects", "huge"],
)
def test_weights_of_something_else_are_refused(folder, data):
    replace_weights(folder, data)
    with pytest.raises(UserError, match="damaged or not of this version"):
        pretrained.read(folder)
