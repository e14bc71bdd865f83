"""What the demo page answers to its visitors."""

import dataclasses
import socket

import numpy as np
import pytest
import trimesh
from PIL import Image

from support import processes
from support.extruding_reconstructor import FAKE
from support.page_visits import EXAMPLE


def square(path, color):
    """A picture of a square in this colour, with a black stripe."""
    pixels = np.full([80, 80, 3], 250, np.uint8)
    pixels[20:60, 20:60] = color
    pixels[20:60, 38:42] = 0
    Image.fromarray(pixels).save(path)
    return path


def colors_of(shape):
    """Shares of red, green and blue of a .glb's vertices, or None."""
    [mesh] = trimesh.load(shape, process=False).geometry.values()
    values = mesh.visual.vertex_attributes.get("color")
    return None if values is None else values[:, :3] / 255


def test_image_or_example_becomes_shape(visitor, page):
    components = page.config["components"]
    [[[sample]]] = [each["props"]["samples"] for each in components if each["type"] == "dataset"]
    for image in (EXAMPLE, sample):
        picture, shape, note = visitor.give(image)
        assert note == "" and Image.open(picture).size == (200, 200)
        mesh = trimesh.load(shape, force="mesh")
        assert mesh.is_watertight and mesh.volume > 0


def test_shape_has_the_colors_of_its_images(visitor, tmp_path):
    red = square(tmp_path / "red.png", (200, 0, 0))
    green = square(tmp_path / "green.png", (0, 200, 0))
    colors = colors_of(visitor.give(red)[1])
    assert colors[:, 0].max() > 0.5 and colors[:, 1:].max() < 0.01
    assert colors_of(visitor.give(red, color=False)[1]) is None
    picture, shape, note = visitor.give(red, green, green)
    assert note == "" and Image.open(picture).size == (600, 200)
    assert (colors_of(shape)[:, :2].max(axis=0) > 0.03).all()


def test_uncertain_silhouette_produces_a_warning(visitor, tmp_path):
    pixels = np.full([80, 120, 3], 240, np.uint8)
    pixels[20:60, 10:50] = pixels[20:60, 70:110] = [150, 60, 30]
    Image.fromarray(pixels).save(tmp_path / "two.png")
    _, shape, note = visitor.give(tmp_path / "two.png")
    assert shape and "This may be wrong: there are several objects" in note


def test_the_page_names_what_the_model_knows(page, tmp_path):
    from ptn_semi.web import layout

    info = dataclasses.replace(FAKE.info, categories=("chair", "lamp"))
    built = layout.build(dataclasses.replace(FAKE, info=info), tmp_path)
    assert "The model knows these kinds of objects: chair, lamp." in str(built.config)
    assert "these kinds" not in str(page.config)


def test_a_changed_threshold_keeps_the_warning(visitor, tmp_path):
    pixels = np.full([80, 120, 3], 240, np.uint8)
    pixels[20:60, 10:50] = pixels[20:60, 70:110] = [150, 60, 30]
    Image.fromarray(pixels).save(tmp_path / "two.png")
    _, _, note = visitor.give(tmp_path / "two.png")
    assert "This may be wrong" in note and visitor.change(0.4, "smooth")[1] == note


def test_files_are_named_after_the_image_and_have_the_size_that_was_asked_for(visitor, tmp_path):
    _, shape, _ = visitor.give(square(tmp_path / "my square.png", (200, 0, 0)))
    assert shape.endswith("/my square.glb")
    path, note = visitor.print(80)
    assert path.endswith("/my square.stl") and note == ""
    assert trimesh.load(path).extents.max() == pytest.approx(80)


def test_advice_names_no_flags(visitor, tmp_path):
    labels = np.zeros([80, 120], np.uint8)
    labels[20:60, 10:50], labels[20:60, 70:110] = 1, 2
    Image.fromarray(labels).save(tmp_path / "labels.png")
    note = visitor.give(tmp_path / "labels.png")[2]
    assert "choose one, for example the label 1" in note
    picture, _, note = visitor.give(tmp_path / "labels.png", label=2)
    assert picture and "--" not in note
    assert "--" not in visitor.give(EXAMPLE, label=2)[2]


def test_settings_change_the_last_shape(visitor, new_visitor):
    assert "first" in visitor.print(80)[1]
    _, smooth, _ = visitor.give(EXAMPLE)
    blocky, note = visitor.change(0.4, "blocky")
    assert note == ""
    smooth, blocky = (trimesh.load(shape, force="mesh") for shape in (smooth, blocky))
    assert len(blocky.faces) != len(smooth.faces)
    assert "no voxel is over" in visitor.change(0.95, "blocky")[1]
    assert "first" in new_visitor().change(0.4, "blocky")[1]


def test_bad_images_are_explained(visitor, tmp_path):
    (tmp_path / "text.png").write_bytes(b"not an image")
    for images in ([tmp_path / "text.png"], [EXAMPLE, tmp_path / "text.png"]):
        picture, shape, note = visitor.give(*images)
        assert picture is None and shape is None
        assert "text.png cannot be read" in note and "/" not in note
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    assert "pixels" in visitor.give(tmp_path / "huge.png")[2]
    assert "Give an image" in visitor.give(None)[2]


def test_drawing_becomes_shape_without_colors(visitor):
    _, shape, note = visitor.draw(EXAMPLE)
    assert note == "" and colors_of(shape) is None
    assert "Draw" in visitor.draw(None)[2]


def test_port_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = processes.main("ptn_semi.demo", f"--port={port}")
    assert process.returncode == 1 and f"error: cannot listen on port {port}" in process.stderr
    assert "Traceback" not in process.stderr
