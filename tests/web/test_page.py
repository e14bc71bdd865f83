"""The demo page: what it answers, also to a browser where there is one."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import trimesh
from PIL import Image

gr = pytest.importorskip("gradio")

from ptn_semi.models import checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from support import processes
from support.page_visits import (
    EXAMPLE,
    FORM,
    REST,
    answered,
    ask,
    example,
    file,
    refused,
    run,
    upload,
    wait_for,
)
from support.tiny_networks import TINY


def test_an_image_becomes_a_shape(client):
    seen, shape, note = ask(client, EXAMPLE)
    assert note == "" and Image.open(io.BytesIO(seen)).size == (200, 200)
    mesh = trimesh.load(io.BytesIO(shape), file_type="glb", force="mesh")
    assert mesh.is_watertight and mesh.volume > 0


def test_a_model_of_twice_the_resolution_is_served(client, fine_client):
    coarse, fine = (
        trimesh.load(io.BytesIO(ask(each, EXAMPLE)[1]), file_type="glb", force="mesh")
        for each in (client, fine_client)
    )
    assert fine.is_watertight and len(fine.faces) > 3 * len(coarse.faces)


def shape_colors(shape):
    """Colours of a .glb's vertices, in linear shares, or None."""
    length = int.from_bytes(shape[12:16], "little")
    told = json.loads(shape[20 : 20 + length])
    attributes = told["meshes"][0]["primitives"][0]["attributes"]
    if "COLOR_0" not in attributes:
        return None
    accessor = told["accessors"][attributes["COLOR_0"]]
    start = 28 + length + told["bufferViews"][accessor["bufferView"]].get("byteOffset", 0)
    values = np.frombuffer(shape, np.uint8, 4 * accessor["count"], start)
    return values.reshape(-1, 4)[:, :3] / 255


def photograph(path, color):
    pixels = np.full([80, 80, 3], 250, np.uint8)
    pixels[20:60, 20:60] = color
    pixels[20:60, 38:42] = 0
    Image.fromarray(pixels).save(path)
    return path


def test_a_shape_has_the_colours_of_its_image(client, tmp_path):
    red = photograph(tmp_path / "red.png", (200, 0, 0))
    _, shape, note = ask(client, red)
    assert note == ""
    colors = shape_colors(shape)
    assert colors[:, 0].max() > 0.5 and colors[:, 1:].max() < 0.01
    assert shape_colors(ask(client, red, color=False)[1]) is None
    plain, _ = answered(run(client, "mesh", None, 0.4, "smooth", False), client)
    assert shape_colors(plain) is None
    mask = np.zeros([40, 40], np.uint8)
    mask[10:30, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert shape_colors(ask(client, tmp_path / "mask.png")[1]) is None


def test_several_views_become_one_shape(client, tmp_path):
    red = photograph(tmp_path / "red.png", (200, 0, 0))
    green = photograph(tmp_path / "green.png", (0, 200, 0))
    seen, shape, note = ask(client, red, others=[green, green])
    assert note == "" and Image.open(io.BytesIO(seen)).size == (600, 200)
    assert (shape_colors(shape)[:, :2].max(axis=0) > 0.03).all()  # of both
    (tmp_path / "bad.png").write_bytes(b"")
    _, shape, note = ask(client, red, others=[tmp_path / "bad.png"])
    assert shape is None and "cannot be read" in note and "/" not in note


def test_a_doubtful_silhouette_is_said(client, tmp_path):
    pixels = np.full([80, 120, 3], 240, np.uint8)
    pixels[20:60, 10:50] = pixels[20:60, 70:110] = [150, 60, 30]
    Image.fromarray(pixels).save(tmp_path / "two.png")
    _, shape, note = ask(client, tmp_path / "two.png")
    assert shape and "This may be wrong: there are several objects" in note


def test_the_example_becomes_a_shape(client):
    answer = answered(run(client, "from_file", example(client), 0.4, "smooth", *REST), client)
    assert answer[3] == "" and answer[2]


def test_a_threshold_changes_the_last_shape(client):
    _, shape, _ = ask(client, EXAMPLE)
    blocky, note = answered(run(client, "mesh", None, 0.4, "blocky", True), client)
    assert note == "" and blocky and blocky != shape
    body = {"data": [None, 0.4, "blocky", True], "session_hash": "another"}
    assert "first" in answered(client.post("run/mesh", json=body), client)[1]


def test_bad_images_are_explained_and_others_still_served(client, tmp_path):
    for content in (b"", b"no image at all"):
        (tmp_path / "file").write_bytes(content)
        _, shape, note = ask(client, tmp_path / "file")
        assert "cannot be read" in note and shape is None and "/" not in note
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    assert "pixels" in ask(client, tmp_path / "huge.png")[2]
    assert "no voxel is over" in ask(client, EXAMPLE, threshold=0.95)[2]
    assert ask(client, EXAMPLE, surface="blocky")[2] == ""


def draw(client, path):
    drawn = file(upload(client, path)[0])
    sent = {"background": None, "layers": [], "composite": drawn, "id": None}
    return answered(run(client, "from_drawing", sent, 0.4, "smooth", True), client)[1:]


def test_a_drawing_becomes_a_shape(client):
    seen, shape, note = draw(client, EXAMPLE)
    assert note == "" and seen and shape_colors(shape) is None


def test_no_drawing_is_explained(client):
    empty = {"background": None, "layers": [], "composite": None, "id": "none"}
    for sent in (None, empty):
        answer = answered(run(client, "from_drawing", sent, 0.4, "smooth", True), client)
        assert "Draw" in answer[3]


def test_drawings_over_the_pixel_limit_are_refused(client, tmp_path):
    Image.new("1", (8_000, 8_000)).save(tmp_path / "huge.png")
    assert "the drawing has 8000 × 8000 pixels" in draw(client, tmp_path / "huge.png")[2]


def test_a_program_in_postscript_is_not_run(client, tmp_path, monkeypatch):
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/run\n")
    (tmp_path / "gs").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "file").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    )
    assert "cannot be read" in ask(client, tmp_path / "file")[2]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["large", "chunked", "several", "field"])
def test_uploads_over_the_limit_are_refused(client, kind):
    sent = {
        "large": {"files": {"files": bytes(1 << 21)}},
        "chunked": {"content": (part for part in [FORM, *[bytes(1 << 16)] * 32, b"\r\n--b--"])},
        "several": {"files": [("files", bytes(400_000))] * 4},
        "field": {"content": FORM.replace(b"; filename=f", b"") + bytes(1 << 21) + b"\r\n--b--"},
    }[kind]
    headers = {"Content-Type": "multipart/form-data; boundary=b"} if "content" in sent else {}
    assert refused(lambda: client.post("upload", headers=headers, **sent)) in (413, "closed")
    assert ask(client, EXAMPLE)[2] == ""


@pytest.mark.slow
def test_a_taken_port_is_named(tmp_path):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    saved = checkpoints.save(tmp_path, model, {}, keep=set())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = processes.main("ptn_semi.demo", f"--port={port}", f"--model={saved.path}")
    assert process.returncode == 1 and f"error: --port={port}" in process.stderr
    assert "Traceback" not in process.stderr


def test_without_gradio_the_page_says_what_to_install():
    code = "import runpy, sys; sys.modules['gradio'] = None; runpy.run_module('ptn_semi.demo', "
    command = [sys.executable, "-c", code + "run_name='__main__')", "--model=any"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr.strip() == (
        "error: the page needs gradio: pip install 'ptn_semi[demo]'"
    )


CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


OUTLINE = [
    (0.3, 0.15),
    (0.45, 0.15),
    (0.45, 0.5),
    (0.7, 0.5),
    (0.7, 0.85),
    (0.62, 0.85),
    (0.62, 0.6),
    (0.4, 0.6),
    (0.4, 0.85),
    (0.3, 0.85),
    (0.3, 0.15),
]


def different_colors(locator):
    picture = Image.open(io.BytesIO(locator.screenshot()))
    return len(picture.convert("RGB").getcolors(1 << 20))


@pytest.mark.slow
def test_in_a_browser(url, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=CHROMIUM)
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.goto(url)
        button = tab.get_by_role("button", name="Reconstruct the image")
        button.wait_for()
        tab.set_input_files("input[type=file] >> nth=0", EXAMPLE)
        canvas = tab.locator("canvas").first
        canvas.wait_for()
        shown = lambda: different_colors(tab.locator("canvas").last) > 20  # more than a background
        wait_for(shown)
        with tab.expect_download() as download:
            tab.locator("a[download]").first.click()
        assert trimesh.load(download.value.path(), file_type="glb", force="mesh").is_watertight
        tab.get_by_role("tab", name="Drawing").click()
        tab.locator("#drawing canvas").first.wait_for()
        time.sleep(1)  # in which the page takes the brush
        area = tab.locator("canvas").first.bounding_box()
        places = [
            (area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in OUTLINE
        ]
        tab.mouse.move(*places[0])
        tab.mouse.down()
        for place in places[1:]:
            tab.mouse.move(*place, steps=10)
        tab.mouse.up()
        link = lambda: tab.locator("a[download]").first.get_attribute("href", timeout=5000)
        before = link()
        tab.get_by_role("button", name="Reconstruct the drawing").click()
        wait_for(lambda: link() != before)
        wait_for(shown)
        browser.close()
