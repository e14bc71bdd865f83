"""Photographs before natural backgrounds, whose objects a network finds, here a very small one."""

import functools
import re

import numpy as np
import pytest
from PIL import Image

from ptn_semi.inference import natural_background, silhouettes
from ptn_semi.utils.errors import UserError

pytest.importorskip("rembg")
onnx = pytest.importorskip("onnx")

SIDE = 320  # of what U²-Net takes
OBJECT = np.zeros([120, 160], bool)
OBJECT[20:100, 50:110] = True


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Where the network's weights belong, which are not there yet."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    monkeypatch.setattr(natural_background, "is_installed", lambda: True)
    monkeypatch.setattr(
        natural_background, "_session", functools.cache(natural_background._session.__wrapped__)
    )
    return tmp_path / "u2net.onnx"


def write_finder_of_red(path):
    """Write a network of U²-Net's interface to a file. It answers with red minus green."""
    TensorProto, helper = onnx.TensorProto, onnx.helper
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, [1, 1, SIDE, SIDE])
    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1, 3, 1, 1], [1, -1, 0])
    node = helper.make_node("Conv", ["image", "kernel"], ["found"])
    graph = helper.make_graph([node], "finder", [image], [found], [kernel])
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def in_a_meadow(where=OBJECT):
    """A red object in front of green noise of all scales."""
    rng = np.random.default_rng(0)
    noise = sum(
        rng.uniform(0, 85, [120 // scale, 160 // scale]).repeat(scale, 0).repeat(scale, 1)
        for scale in (4, 10, 20)
    )
    pixels = np.stack([noise * 0.4, noise, noise * 0.3], axis=-1)
    pixels[where] = [190, 60, 40]
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("segment", ["auto", "model"])
def test_the_object_is_found(weights, segment):
    write_finder_of_red(weights)
    found = silhouettes.find(in_a_meadow(), "photo.jpg", segment)
    union = (found.silhouette | OBJECT).sum()
    assert (found.silhouette & OBJECT).sum() / union > 0.95 and found.doubts == ()


def test_several_objects_are_doubtful(weights):
    write_finder_of_red(weights)
    two = OBJECT.copy()
    two[:, 70:90] = False
    found = silhouettes.find(in_a_meadow(two), "photo.jpg")
    assert "several objects" in found.doubts[0]


def test_a_plain_background_needs_no_network(weights):
    pixels = np.full([*OBJECT.shape, 3], 240, np.uint8)
    pixels[OBJECT] = [150, 60, 30]
    found = silhouettes.find(Image.fromarray(pixels), "photo.jpg")
    assert (found.silhouette == OBJECT).mean() > 0.99


def test_weights_that_cannot_be_downloaded_are_explained(weights, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # where nothing listens
    said = r"u2net.onnx .* could not be downloaded \(no connection\): connect to"
    with pytest.raises(UserError, match=said):
        silhouettes.find(in_a_meadow(), "photo.jpg", "model")
    found = silhouettes.find(in_a_meadow(), "photo.jpg")
    assert "its background is not plain" in found.doubts and re.search(said, found.doubts[-1])
    assert not weights.exists()


def test_damaged_weights_are_named(weights):
    weights.write_bytes(b"no network")
    with pytest.raises(UserError, match=r"u2net.onnx cannot be used .*: delete it"):
        silhouettes.find(without_background(), "photo.jpg")


def without_background():
    pixels = np.random.default_rng(0).integers(0, 256, [*OBJECT.shape, 3])
    return Image.fromarray(pixels.astype(np.uint8))


def test_without_the_network_the_extra_is_named():
    with pytest.raises(UserError, match=r"no plain background .*ptn_semi\[photos\]"):
        silhouettes.find(without_background(), "photo.jpg")


def test_without_the_network_a_meadow_is_doubtful():
    assert "its background is not plain" in silhouettes.find(in_a_meadow(), "photo.jpg").doubts


def test_plain_never_asks_the_network(weights):
    write_finder_of_red(weights)
    found = silhouettes.find(in_a_meadow(), "photo.jpg", "plain")
    assert "its background is not plain" in found.doubts
    with pytest.raises(UserError, match=r"no plain background .* or a mask$"):
        silhouettes.find(without_background(), "photo.jpg", "plain")
