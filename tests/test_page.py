"""The demo page: what it answers, also to a browser where there is one."""

import asyncio
import concurrent.futures
import contextlib
import io
import os
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

from ptn_semi.web import uploads

uploads.folder()  # before gradio is imported
gr = pytest.importorskip("gradio")

import httpx  # noqa: E402

import processes  # noqa: E402
import ptn_semi  # noqa: E402
from ptn_semi.inference import images_to_shapes  # noqa: E402
from ptn_semi.models import checkpoints  # noqa: E402
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor  # noqa: E402
from ptn_semi.web import guard, layout, page  # noqa: E402
from tiny import TINY  # noqa: E402
from tools.faults import hostile, visitors  # noqa: E402

EXAMPLE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"


def extrude(masks):
    upright = masks[:, ::-1, :, 0]  # y up
    return np.broadcast_to(upright[:, None] * 0.9, [len(masks), 32, 32, 32]).astype(np.float32)


@pytest.fixture(scope="module")
def served():
    reconstructor = images_to_shapes.Reconstructor(extrude, 32, threshold=0.4, extent=0.8)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = page.launch(reconstructor, "127.0.0.1", port, 1, prevent_thread_lock=True, quiet=True)
    yield served
    served.close()


@pytest.fixture(scope="module")
def url(served):
    return served.local_url


@pytest.fixture(scope="module")
def client(url):
    with httpx.Client(base_url=f"{url}gradio_api/", timeout=60) as client:
        yield client


def upload(client, path, name="files"):
    answer = client.post("upload", files={name: path.read_bytes()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def file(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def run(client, name, *data):
    return client.post(f"run/{name}", json={"data": data, "session_hash": "visitor"})


def answered(response, client):
    """What a visitor gets: contents of the files in an answer, and the rest of it."""
    assert response.status_code == 200, response.text
    return [
        client.get(each["url"]).raise_for_status().content if isinstance(each, dict) else each
        for each in response.json()["data"]
    ]


def ask(client, path, threshold=0.4, surface="smooth"):
    """Picture of the mask, shape and note."""
    [uploaded] = upload(client, path)
    answer = run(client, "from_file", file(uploaded), threshold, surface)
    return answered(answer, client)[1:]


def test_an_image_becomes_a_shape(client):
    seen, shape, note = ask(client, EXAMPLE)
    assert note == "" and Image.open(io.BytesIO(seen)).size == (200, 200)
    mesh = trimesh.load(io.BytesIO(shape), file_type="glb", force="mesh")
    assert mesh.is_watertight and mesh.volume > 0


def example(client):
    """What a click on the example sends."""
    components = client.get("../config").json()["components"]
    [[[sample]]] = [each["props"]["samples"] for each in components if each["type"] == "dataset"]
    return sample


def test_the_example_becomes_a_shape(client):
    answer = answered(run(client, "from_file", example(client), 0.4, "smooth"), client)
    assert answer[3] == "" and answer[2]


def test_a_threshold_changes_the_last_shape(client):
    _, shape, _ = ask(client, EXAMPLE)
    blocky, note = answered(run(client, "mesh", None, 0.4, "blocky"), client)
    assert note == "" and blocky and blocky != shape
    body = {"data": [None, 0.4, "blocky"], "session_hash": "another"}
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
    return answered(run(client, "from_drawing", sent, 0.4, "smooth"), client)[1:]


def test_a_drawing_becomes_a_shape(client):
    seen, shape, note = draw(client, EXAMPLE)
    assert note == "" and seen and shape


def test_no_drawing_is_explained(client):
    empty = {"background": None, "layers": [], "composite": None, "id": "none"}
    for sent in (None, empty):
        answer = answered(run(client, "from_drawing", sent, 0.4, "smooth"), client)
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


FORM = b'--b\r\nContent-Disposition: form-data; name="files"; filename=f\r\n\r\n'


def refused(request):
    """The status of an answer, or "closed" where the server has hung up on a body too long."""
    try:
        return request().status_code
    except httpx.TransportError:
        return "closed"


def test_bodies_over_the_limit_are_refused(client):
    body = (b"[" * (1 << 16) for _ in range(64))
    assert refused(lambda: client.post("run/from_file", content=body)) in (413, "closed")
    assert ask(client, EXAMPLE)[2] == ""


@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=../../../etc/passwd",
        "file=%2e%2e/%2e%2e/etc/passwd",
        "file=%252e%252e/etc/passwd",
        "file=/etc/passwd%00.png",
        "file=",
        "file=.",
        "file={folder}/../../etc/passwd",
        "file={folder}",
        "file={examples}/../page.py",
        "file={examples}/chair.png",
        "file/etc/passwd",
        "../static/..%2f..%2f..%2f..%2fpage.py",
        "../assets/%2e%2e/%2e%2e/index.html",
        # Routes of gradio's that no visitor needs.
        "queue/data?session_hash=a",
        "call/from_file/a",
        "deep_link?session_hash=a",
        "run-history/buckets",
        "proxy=http://127.0.0.1/",
        "file=http://127.0.0.1/",
        "dev/reload",
        "upload_progress?upload_id=a",
        "../monitoring/summary",
        "custom_component/a/client/b/c",
    ],
)
def test_files_of_the_machine_and_other_routes_are_not_served(url, path):
    path = path.format(folder=uploads.folder(), examples=layout.EXAMPLES)
    # As it stands: httpx would tidy the path up.
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}gradio_api/{path}", timeout=10)
    assert caught.value.code in (403, 404)


@pytest.mark.parametrize(
    "route",
    [
        "queue/join",
        "call/from_file",
        "call/v2/from_file",
        "component_server",
        "cancel",
        "process_recording",
        "run-history/connect",
        "stream/a",
        "vibe-edit",
        "../login",
    ],
)
def test_other_routes_take_nothing(client, route):
    assert client.post(route, json={"data": [], "session_hash": "a"}).status_code == 404


@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}])
@pytest.mark.parametrize("name", ["from_file", "from_drawing"])
def test_a_file_of_the_machine_is_not_read(client, tmp_path, name, meta):
    shutil.copy(EXAMPLE, tmp_path / "own.png")
    for path in (tmp_path / "own.png", f"{uploads.folder()}/../../{tmp_path}/own.png"):
        asked = {"path": str(path), **meta}
        if name == "from_drawing":
            asked = {"background": None, "layers": [], "composite": asked, "id": None}
        assert run(client, name, asked, 0.4, "smooth").status_code == 500


def test_nothing_is_fetched_for_a_visitor(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/chair.png"
        for asked in ({"path": address}, file(address), {**file(address), "is_stream": True}):
            assert run(client, "from_file", asked, 0.4, "smooth").status_code == 500
        asked = {**example(client), "url": address}
        assert run(client, "from_file", asked, 0.4, "smooth").status_code == 200
        with pytest.raises(TimeoutError):
            listener.accept()


def test_no_name_is_looked_up_for_a_visitor(client, monkeypatch):
    """gradio would ask a service on another site where a host is."""
    asked = []
    monkeypatch.setattr("safehttpx.async_validate_url", asked.append)
    run(client, "from_file", file("http://host.invalid/chair.png"), 0.4, "smooth")
    assert not asked


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"data": []}', b'{"data": [1, 2, 3]}', b"[" * 5000, b'{"fn_index": 9}']
)
def test_malformed_requests_are_refused_and_others_served(client, body):
    headers = {"Content-Type": "application/json"}
    answer = client.post("run/from_file", content=body, headers=headers)
    assert 400 <= answer.status_code <= 500
    assert ask(client, EXAMPLE)[2] == ""


@pytest.mark.parametrize(
    "settings", [("x", "smooth"), (None, "smooth"), (2, "smooth"), (0.4, "x"), (0.4, None)]
)
def test_settings_that_the_page_does_not_have_are_refused(client, settings):
    assert run(client, "from_file", example(client), *settings).status_code == 500


def test_many_at_once_are_all_answered(url):
    def visit(_):
        with httpx.Client(base_url=f"{url}gradio_api/", timeout=60) as visitor:
            return [ask(visitor, EXAMPLE)[2] for _ in range(2)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(8))) == [["", ""]] * 8


def test_one_address_cannot_take_all_connections(url, client):
    host, port = httpx.URL(url).host, httpx.URL(url).port
    with contextlib.ExitStack() as stack:
        for _ in range(guard._OF_ONE):
            waiting = stack.enter_context(
                socket.create_connection((host, port), source_address=("127.0.0.2", 0))
            )
            waiting.sendall(b"GET /gradio_api/heartbeat/a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b" 200 " in waiting.recv(100)
        transport = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=transport) as another:
            assert another.get(url).status_code == 503
        assert ask(client, EXAMPLE)[2] == ""


def test_one_is_worked_on_at_once_and_no_address_waits_for_more_than_one_of_another():
    order = []

    async def app(scope, *_):
        order.append(scope["client"][0])
        await asyncio.sleep(0.01)
        order.append("done")

    async def receive():
        return {"type": "http.request"}

    async def ask_all(addresses):
        guarded = guard.Guard(app, 1)
        scope = {"type": "http", "path": "/gradio_api/run/from_file", "headers": []}
        await asyncio.gather(
            *(guarded({**scope, "client": (each, 1)}, receive, None) for each in addresses)
        )

    asyncio.run(ask_all("aaab"))
    assert order == ["a", "done", "b", "done", "a", "done", "a", "done"]


def test_the_queue_of_gradio_is_not_used(client):
    """The guard does not serve it."""
    events = client.get("../config").json()["dependencies"]
    assert not any(event["queue"] for event in events)


def test_an_upload_that_says_it_is_too_large_is_not_begun(url):
    before = set(uploads.folder().rglob("*"))
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port)) as large:
        large.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + FORM
        )
        large.settimeout(10)
        assert b" 413 " in large.recv(100)
    assert set(uploads.folder().rglob("*")) <= before


@pytest.mark.parametrize("route", ["run/from_file", "upload"])
def test_bodies_that_do_not_come_are_not_waited_for(url, monkeypatch, route):
    monkeypatch.setattr(guard, "_PATIENCE", 0.1)
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port)) as slow:
        slow.sendall(
            f"POST /gradio_api/{route} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n-".encode()
        )
        slow.settimeout(10)
        assert b" 408 " in slow.recv(100)


def test_few_sessions_are_kept(served, client):
    for number in range(page._SESSIONS + 20):
        body = {"data": [None, 0.4, "smooth"], "session_hash": str(number)}
        assert client.post("run/mesh", json=body).status_code == 200
    assert len(served.app.state_holder.session_data) == page._SESSIONS


def test_connections_are_allowed_as_many_as_can_be():
    resource = pytest.importorskip("resource")
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, most - 1), most))
    try:
        page._allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_files_are_deleted_while_the_page_is_served_but_for_the_example(client, monkeypatch):
    [uploaded] = upload(client, EXAMPLE)
    monkeypatch.setattr(uploads, "_KEPT_FILES", 0)
    wait_for(lambda: not os.path.exists(uploaded))
    assert os.path.exists(example(client)["path"])


def test_old_files_and_those_over_the_bounds_are_deleted(tmp_path, monkeypatch):
    paths = [tmp_path / name for name in ("a", "b", "folder/c", "d", "ours")]
    paths[2].parent.mkdir()
    now = time.time()
    for age, path in zip((0, 1, 2, uploads._KEPT + 1, uploads._KEPT + 1), paths, strict=True):
        path.write_bytes(bytes(1000))
        os.utime(path, (now - age, now - age))

    def left():
        uploads.sweep(tmp_path, {str(paths[4])})
        return [path.name for path in paths if path.exists()]

    assert left() == ["a", "b", "c", "ours"]
    monkeypatch.setattr(uploads, "_KEPT_FILES", 2)
    assert left() == ["a", "b", "ours"] and not paths[2].parent.exists()
    monkeypatch.setattr(uploads, "_KEPT_BYTES", 1500)
    assert left() == ["a", "ours"]


@pytest.mark.slow
def test_hostile_requests_are_refused_and_visitors_answered(url):
    """The short form of tools/faults/load_page.py."""
    load = visitors.load(url, 100, 600, seed=0, max_upload=1 << 20, progress=False)
    assert not load.broken and not load.failed and load.seconds
    assert load.outcomes.keys() > hostile.KINDS.keys()


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
