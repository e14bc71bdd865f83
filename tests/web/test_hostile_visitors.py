"""What the page's server refuses."""

import asyncio
import collections
import concurrent.futures
import contextlib
import io
import os
import shutil
import socket
import time
import urllib.error
import urllib.request

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio")

from ptn_semi.web import guard, layout, log, page, uploads
from support.page_visits import (
    EXAMPLE,
    FORM,
    REST,
    ask,
    example,
    file,
    refused,
    run,
    upload,
    wait_for,
)


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
            drawn = {"background": None, "layers": [], "composite": asked, "id": None}
            assert run(client, name, drawn, 0.4, "smooth", True).status_code == 500
        else:
            assert run(client, name, asked, 0.4, "smooth", *REST).status_code == 500
            others = (0.4, "smooth", True, "auto", None, asked, None)
            assert run(client, name, example(client), *others).status_code == 500


def test_nothing_is_fetched_for_a_visitor(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/chair.png"
        for asked in ({"path": address}, file(address), {**file(address), "is_stream": True}):
            assert run(client, "from_file", asked, 0.4, "smooth", *REST).status_code == 500
        asked = {**example(client), "url": address}
        assert run(client, "from_file", asked, 0.4, "smooth", *REST).status_code == 200
        with pytest.raises(TimeoutError):
            listener.accept()


def test_no_name_is_looked_up_for_a_visitor(client, monkeypatch):
    """gradio would ask a service on another site where a host is."""
    asked = []
    monkeypatch.setattr("safehttpx.async_validate_url", asked.append)
    run(client, "from_file", file("http://host.invalid/chair.png"), 0.4, "smooth", *REST)
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
    "settings",
    [
        ("x", "smooth", True, "auto"),
        (None, "smooth", True, "auto"),
        (2, "smooth", True, "auto"),
        (0.4, "x", True, "auto"),
        (0.4, None, True, "auto"),
        (0.4, "smooth", True, "x"),
    ],
)
def test_settings_that_the_page_does_not_have_are_refused(client, settings):
    asked = [example(client), *settings, None, None, None]
    assert run(client, "from_file", *asked).status_code == 500
    assert run(client, "from_file", asked[0], 0.4, "smooth", *REST).status_code == 200


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


def test_a_few_addresses_cannot_take_all_places():
    opened: collections.Counter[str] = collections.Counter()

    async def app(scope, *_):
        opened[scope["client"][0]] += 1
        await asyncio.sleep(0.1)

    async def receive():
        return {"type": "http.request"}

    async def ignore(message):
        pass

    async def open_all(addresses):
        guarded = guard.Guard(app, 1)
        scope = {"type": "http", "path": "/", "headers": []}
        await asyncio.gather(
            *(guarded({**scope, "client": (each, 1)}, receive, ignore) for each in addresses)
        )

    asyncio.run(open_all([*["a", "b", "c", "d", "e"] * 100, "late"]))
    assert opened["late"] == 1
    assert guard._AT_ONCE <= opened.total() <= guard._AT_ONCE + 5 * guard._FEW + 1


def test_the_log_is_bounded():
    written = io.StringIO()
    stream = log.Bounded(written, 100)
    for _ in range(1000):
        assert stream.write("traceback\n") == 10
    assert written.getvalue().startswith("traceback\n" * 10 + "\nThe log is full")
    assert len(written.getvalue()) < 200


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
        body = {"data": [None, 0.4, "smooth", True], "session_hash": str(number)}
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
