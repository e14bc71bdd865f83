"""What keeps the page safe to open: whom it answers, what it reads, and how much it takes."""

import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import threading

import pytest

pytest.importorskip("gradio")

from gradio_client.exceptions import AppError

from ptn_semi.inference import reconstruction
from ptn_semi.web import limits
from support import processes
from support.page_visits import EXAMPLE

UPLOAD, JOIN = "gradio_api/upload", "gradio_api/queue/join"


def test_only_this_machine_is_listened_to_by_default():
    assert "(default: '127.0.0.1')" in processes.main("ptn_semi.demo", "--help").stdout


def test_other_web_sites_are_refused(http, page):
    own = page.local_url.rstrip("/")
    for origin, status in ((own, 200), ("https://other.example", 403), ("null", 403)):
        headers = {"Origin": origin}
        assert http.get("config", headers=headers).status_code == status
        files = {"files": EXAMPLE.read_bytes()}
        assert http.post(UPLOAD, files=files, headers=headers).status_code == status
    # A site may let its own name resolve to this machine.
    assert http.get("/", headers={"Host": "other.example"}).status_code == 400


def test_files_of_the_machine_are_neither_served_nor_read(http, visitor):
    for path in ("/etc/passwd", "%2e%2e/%2e%2e/etc/passwd", EXAMPLE):
        assert http.get(f"gradio_api/file={path}").status_code == 403
    remote = {"path": "http://localhost/chair.png", "meta": {"_type": "gradio.FileData"}}
    for image in ({"path": str(EXAMPLE)}, remote):
        with pytest.raises(AppError, match="not uploaded"):
            visitor.give(image)
        with pytest.raises(AppError):
            visitor.draw(image)


def status_of(page, path, header, value):
    """The answer's status to a request whose body never comes."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", page.server_port, 10)) as line:
        line.putrequest("POST", f"/{path}")
        line.putheader(header, value)
        line.endheaders()
        return line.getresponse().status


def test_requests_and_what_they_store_are_bounded(page, http, monkeypatch):
    assert status_of(page, UPLOAD, "Content-Length", 2 << 20) == 413
    assert status_of(page, JOIN, "Content-Length", 1 << 20) == 413
    assert status_of(page, JOIN, "Transfer-Encoding", "chunked") == 411
    large = {"files": bytes((1 << 20) + 1)}
    assert http.post(UPLOAD, files=large).status_code == 413
    [first] = http.post(UPLOAD, files={"files": b"an image"}).json()
    assert pathlib.Path(first).exists()
    monkeypatch.setattr(limits, "_MAX_STORED", 0)  # the oldest make room for the next
    assert http.post(UPLOAD, files={"files": EXAMPLE.read_bytes()}).status_code == 200
    assert not pathlib.Path(first).exists()


def test_old_files_are_deleted_but_for_the_example(http, visitor, page):
    from gradio import route_utils

    [uploaded] = http.post(UPLOAD, files={"files": b"an image"}).json()
    visitor.give(EXAMPLE)
    folder = pathlib.Path(os.environ["GRADIO_TEMP_DIR"])
    assert page.delete_cache == (60, 3600) and pathlib.Path(uploaded).is_relative_to(folder)
    route_utils.delete_files_created_by_app(page, age=0)  # as gradio does every minute
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    assert left == [EXAMPLE.name]


def test_bad_requests_do_not_stop_others(http, visitor):
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[" * 5000, b'{"fn_index": 99, "data": [], "session_hash": "a"}'):
        assert http.post(JOIN, content=body, headers=headers).is_error
    with pytest.raises(AppError):
        visitor.give(EXAMPLE, surface="no surface")
    assert visitor.give(EXAMPLE)[2] == ""


def test_one_shape_is_made_at_a_time(new_visitor, monkeypatch):
    busy, reconstruct = threading.Lock(), reconstruction.reconstruct

    def reconstruct_alone(*arguments):
        assert busy.acquire(blocking=False), "another one is being made"
        try:
            return reconstruct(*arguments)
        finally:
            busy.release()

    monkeypatch.setattr(reconstruction, "reconstruct", reconstruct_alone)
    visitors = [new_visitor() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = [pool.submit(each.give, EXAMPLE) for each in visitors[:2]]
        answers += [pool.submit(each.draw, EXAMPLE) for each in visitors[2:]]
        assert [answer.result()[2] for answer in answers] == [""] * 4


def test_full_queue_and_requests_past_it_are_refused(http, page, monkeypatch):
    asked = {"data": [None] * 8, "session_hash": "a"}
    assert http.post("gradio_api/run/reconstruct_files", json=asked).status_code == 404
    # A way to have drawings kept in memory.
    [drawing] = [number for number, block in page.blocks.items() if hasattr(block, "accept_blobs")]
    kept = {**asked, "data": {}, "component_id": drawing, "fn_name": "accept_blobs"}
    assert http.post("gradio_api/component_server", json=kept).status_code == 404
    assert page._queue.max_size == 50 and page.app.state_holder.capacity == 100
    monkeypatch.setattr(page._queue, "max_size", 0)
    assert http.post(JOIN, json={**asked, "fn_index": 2}).status_code == 503
