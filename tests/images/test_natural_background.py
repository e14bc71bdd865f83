"""Photographs before natural backgrounds, whose objects a network finds, here a very small one."""

import functools
import re

import numpy as np
import pytest
from PIL import Image

from ptn_semi.images import natural_background, silhouette_warnings, silhouettes
from ptn_semi.utils.errors import UserError

pytest.importorskip("rembg")
onnx = pytest.importorskip("onnx")

OBJECT = np.zeros([120, 160], bool)
OBJECT[20:100, 50:110] = True
NOT_PLAIN = "its background is not plain"
NOISE = np.random.default_rng(0).integers(0, 256, [*OBJECT.shape, 3]).astype(np.uint8)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Where the network's weights belong, which are not there yet."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    monkeypatch.setattr(natural_background, "is_installed", lambda: True)
    monkeypatch.setattr(
        natural_background, "_session", functools.cache(natural_background._session.__wrapped__)
    )
    return tmp_path / "u2net.onnx"


@pytest.fixture
def network(weights):
    """A network with U²-Net's inputs and outputs that finds what is more red than green."""
    model = """
        <ir_version: 8, opset_import: ["": 13]>
        finder (float[1, 3, 320, 320] image) => (float[1, 1, 320, 320] found)
        <float[1, 3, 1, 1] kernel = {1, -1, 0}> { found = Conv(image, kernel) }
    """
    onnx.save(onnx.parser.parse_model(model), weights)


def find(pixels, segment="auto"):
    return silhouettes.find(Image.fromarray(pixels), "photo.jpg", segment)


def meadow(where=OBJECT):
    """A red object in front of green noise of all scales."""
    noise = sum(
        np.kron(NOISE[: 120 // scale, : 160 // scale, 0] / 3, np.ones([scale, scale]))
        for scale in (4, 10, 20)
    )
    green = np.stack([noise * 0.4, noise, noise * 0.3], axis=-1)
    return np.where(where[..., None], [190, 60, 40], green).astype(np.uint8)


@pytest.mark.parametrize("segment", ["auto", "model"])
def test_the_object_is_found(network, segment):
    found = find(meadow(), segment)
    union = (found.silhouette | OBJECT).sum()
    assert (found.silhouette & OBJECT).sum() / union > 0.95 and found.warnings == ()


def test_several_objects_give_a_warning(network):
    two = OBJECT.copy()
    two[:, 70:90] = False
    assert "several objects" in find(meadow(two)).warnings[0]


def test_plain_backgrounds_need_no_network(weights, monkeypatch):
    monkeypatch.setattr(natural_background, "segment", None)  # calling it fails
    pixels = np.where(OBJECT[..., None], [150, 60, 30], 240).astype(np.uint8)
    found = find(pixels)
    assert (found.silhouette == OBJECT).mean() > 0.99 and found.warnings == ()
    pixels[:, 70:90] = 240
    assert find(pixels).warnings == (silhouette_warnings.SEVERAL_OBJECTS,)


def test_plain_segmentation_never_asks_the_network(weights):
    assert NOT_PLAIN in find(meadow(), "plain").warnings
    with pytest.raises(UserError, match=r"no plain background .* or a mask$"):
        find(NOISE, "plain")


def test_weights_that_cannot_be_downloaded_are_explained(weights, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing listens
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    said = r"u2net.onnx .* could not be downloaded \(no connection\): connect to"
    with pytest.raises(UserError, match=said):
        find(meadow(), "model")
    warnings = find(meadow()).warnings
    assert NOT_PLAIN in warnings and re.search(said, warnings[-1])
    assert not weights.exists()


def test_damaged_weights_are_named(weights):
    weights.write_bytes(b"no network")
    with pytest.raises(UserError, match=r"u2net.onnx cannot be used .*: delete it"):
        find(NOISE)
