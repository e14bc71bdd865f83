"""The demo page: what it answers, also to a browser where there is one."""

import concurrent.futures
import contextlib
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest
import trimesh
from PIL import Image

gr = pytest.importorskip("gradio")
gradio_client = pytest.importorskip("gradio_client")

from ptn_semi import checkpoints, page, reconstruction  # noqa: E402
from ptn_semi.model import SemiSupervisedReconstructor  # noqa: E402
from tiny import TINY  # noqa: E402

EXAMPLE = pathlib.Path(page.__file__).parent / "examples" / "chair.png"


def extrude(masks):
    upright = masks[:, ::-1, :, 0]  # y up
    return np.broadcast_to(upright[:, None] * 0.9, [len(masks), 32, 32, 32]).astype(np.float32)


@pytest.fixture(scope="module")
def url():
    reconstructor = reconstruction.Reconstructor(extrude, 32, threshold=0.4, extent=0.8)
    built = page.build(reconstructor)
    _, address, _ = built.launch(prevent_thread_lock=True, quiet=True, max_file_size="1mb")
    yield address
    built.close()


@pytest.fixture(scope="module")
def client(url):
    return gradio_client.Client(url, verbose=False)


def ask(client, path, threshold=0.4, surface="smooth"):
    return client.predict(
        gradio_client.handle_file(str(path)), threshold, surface, api_name="/from_file"
    )


def test_an_image_becomes_a_shape(client):
    seen, shape, note = ask(client, EXAMPLE)
    assert note == "" and Image.open(seen).size == (200, 200)
    mesh = trimesh.load(shape, force="mesh")
    assert mesh.is_watertight and mesh.volume > 0


def test_bad_images_are_explained_and_others_still_served(client, tmp_path):
    for name, content, said in [
        ("zero.png", b"", "zero.png cannot be read"),
        ("text.png", b"no image at all", "text.png cannot be read"),
    ]:
        (tmp_path / name).write_bytes(content)
        _, shape, note = ask(client, tmp_path / name)
        assert said in note and shape is None and str(tmp_path) not in note
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    assert "pixels" in ask(client, tmp_path / "huge.png")[2]
    assert "no voxel is over" in ask(client, EXAMPLE, threshold=0.95)[2]
    assert ask(client, EXAMPLE, surface="blocky")[2] == ""


def test_uploads_over_the_limit_are_refused(client, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, [800, 800, 3], np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    with pytest.raises(Exception, match=r"413|exceed|size"):
        ask(client, tmp_path / "large.png")


@pytest.mark.parametrize(
    "path", ["file=/etc/passwd", "file=../../../etc/passwd", "file=%2e%2e/%2e%2e/etc/passwd"]
)
def test_files_of_the_machine_are_not_served(url, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}gradio_api/{path}")
    assert caught.value.code in (403, 404)


def test_a_file_of_the_machine_is_not_read(url, tmp_path):
    shutil.copy(EXAMPLE, tmp_path / "own.png")
    asked = {"path": str(tmp_path / "own.png"), "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [asked, 0.4, "smooth"]}).encode()
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, body)
    assert 400 <= caught.value.code <= 500


def post(url, body):
    headers = {"Content-Type": "application/json"}
    return urllib.request.urlopen(
        urllib.request.Request(f"{url}gradio_api/run/from_file", body, headers)
    )


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": []}', b'{"data": [1, 2, 3]}', b"[" * 5000])
def test_malformed_requests_are_refused_and_others_served(url, client, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, body)
    assert 400 <= caught.value.code <= 500
    assert ask(client, EXAMPLE)[2] == ""


def test_many_at_once_are_all_answered(url):
    def visit(_):
        with contextlib.closing(gradio_client.Client(url, verbose=False)) as visitor:
            return [ask(visitor, EXAMPLE)[2] for _ in range(2)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(8))) == [["", ""]] * 8


def test_a_taken_port_is_named(tmp_path):
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    saved = checkpoints.save(tmp_path, model, {}, keep=set())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "ptn_semi.demo", f"--port={port}", f"--model={saved.path}"]
        process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 1 and f"error: --port={port}" in process.stderr
    assert "Traceback" not in process.stderr


CHROMIUM = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
OUTLINE = [
    (0.3, 0.15), (0.45, 0.15), (0.45, 0.5), (0.7, 0.5), (0.7, 0.85), (0.62, 0.85), (0.62, 0.6),
    (0.4, 0.6), (0.4, 0.85), (0.3, 0.85), (0.3, 0.15),
]  # fmt: skip


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
        tab.get_by_label("Brush").first.click()
        area = tab.locator("canvas").first.bounding_box()
        places = [
            (area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in OUTLINE
        ]
        tab.mouse.move(*places[0])
        tab.mouse.down()
        for place in places[1:]:
            tab.mouse.move(*place, steps=10)
        tab.mouse.up()
        tab.get_by_role("button", name="Reconstruct the drawing").click()
        time.sleep(1)
        wait_for(shown)
        browser.close()


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)
