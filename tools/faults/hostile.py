"""The requests of hostile clients to the page: one function for each kind.

Each takes a `Target` and a `random.Random`, sends one request, and returns its outcome: an
`httpx.Response`, or a word if there is none. `target.held` tells which outcomes are as promised.
"""

import collections.abc
import contextlib
import io
import json
import time
from random import Random

import httpx
from PIL import Image

from tools.faults.target import CLOSED, LEFT, NONE, Outcome, Target

_FORM = {"Content-Type": "multipart/form-data; boundary=b"}
_JSON = {"Content-Type": "application/json"}
_PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
_END = b"\r\n--b--\r\n"
_PIECE = bytes(1 << 16)
_MB = 1 << 20
_PATIENCE = 30  # seconds
# After the threshold: surface, colours, segmentation, and no other views.
_REST = ("smooth", True, "auto", None, None, None)


def _send(target, method, path, **sent):
    body, deadline = b"", time.monotonic() + _PATIENCE
    with target.client() as client:
        try:
            with client.stream(method, path, **sent) as answer:
                with contextlib.suppress(httpx.ReadTimeout):  # a stream has no end
                    for piece in answer.iter_bytes():
                        body += piece
                        if time.monotonic() > deadline:
                            break
                return httpx.Response(answer.status_code, content=body)
        except httpx.TimeoutException:
            return NONE
        except httpx.TransportError:
            return CLOSED


def _post(target, path, content, headers):
    return _send(target, "POST", f"gradio_api/{path}", content=content, headers=headers)


def _ask(target, name, *data):
    body = json.dumps({"data": data, "session_hash": "hostile"}).encode()
    return _post(target, f"run/{name}", body, _JSON)


def _uploaded(target, content):
    """Upload content; return what names it in a request, or the outcome if it was refused."""
    answer = _post(target, "upload", _PART + content + _END, _FORM)
    if not isinstance(answer, httpx.Response) or answer.status_code != 200:
        return answer
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def _ask_about(target, content, *settings):
    upload = _uploaded(target, content)
    if not isinstance(upload, dict):
        return upload
    return _ask(target, "from_file", upload, *(settings or (0.4, *_REST)))


def large_json(target: Target, random: Random) -> Outcome:
    """Send a body much larger than a request needs, with or without its length."""
    size = random.randint(1, 4) * _MB
    body = b"[" * size if random.random() < 0.5 else (_PIECE for _ in range(size // len(_PIECE)))
    return _post(target, "run/from_file", body, _JSON)


def large_upload(target: Target, random: Random) -> Outcome:
    """Send an image that is too large, too many images, or a field that is no file."""
    pieces = [_PIECE] * (target.max_upload // len(_PIECE) + 2)
    kind = random.randrange(3)
    if kind == 0:
        body = [_PART, *pieces, _END]
    elif kind == 1:
        body = [part for piece in pieces for part in (_PART, piece, b"\r\n")] + [_END]
    else:
        body = [_PART.replace(b'; filename="a.png"', b""), *pieces, _END]
    return _post(target, "upload", iter(body), _FORM)


def broken_upload(target: Target, random: Random) -> Outcome:
    """Send a malformed form."""
    body = random.choice(
        [
            b"",
            b"--b",
            b"--c\r\n",
            _PIECE,
            _PART.replace(b"name=", b"x="),
            _PART + bytes(20_000),
            _PART.replace(b"\r\n\r\n", b"\r\nA: " + bytes(20_000)),
        ]
    )
    headers = random.choice([_FORM, _JSON, {"Content-Type": "multipart/form-data"}])
    return _post(target, "upload", body, headers)


def left_upload(target: Target, random: Random) -> Outcome:
    """Send half of an upload and leave."""
    with target.connect() as connection:
        length = random.randint(1, target.max_upload)
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
        head += f"Content-Type: {_FORM['Content-Type']}\r\n\r\n"
        connection.sendall(head.encode() + _PART + bytes(length // 2))
    return LEFT


def malformed(target: Target, random: Random) -> Outcome:
    """Send malformed JSON, or JSON that the page does not ask for."""
    upload = {"path": "a", "meta": {"_type": "gradio.FileData"}}
    body = random.choice(
        [
            b"",
            b"{",
            b"[" * 5000,
            b'{"data": 3}',
            b'{"data": []}',
            b'{"data": [1, 2, 3]}',
            b"null",
            b'{"data": [{"path": 3}, 0.4, "smooth", true, "auto", null, null, null]}',
            b'{"data": [], "fn_index": 99}',
            b"\xff\xfe",
            json.dumps({"data": [{**upload, "meta": 5}, 0.4, *_REST]}).encode(),
            json.dumps({"data": [upload, 0.4, *_REST], "session_hash": ["a"]}).encode(),
        ]
    )
    return _post(target, f"run/{random.choice(['from_file', 'from_drawing', 'none'])}", body, _JSON)


def wrong_settings(target: Target, random: Random) -> Outcome:
    """Ask for settings that the page does not have."""
    threshold = random.choice(["x", None, [1], {"a": 1}, -5, 2, 10**400])
    surface = random.choice(["smooth", "x", None, [1], {"a": 1}])
    segment = random.choice(["auto", "plain", "model", "x", None])
    color, other = random.choice([True, None, "x"]), random.choice([None, 1, {"path": "x"}])
    chosen = surface, color, segment, None, other, None
    return _ask_about(target, target.example.read_bytes(), threshold, *chosen)


def bad_image(target: Target, random: Random) -> Outcome:
    """Upload a damaged image, something else, or far too many pixels in few bytes."""
    if random.random() < 0.3:
        bomb = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(bomb, "png")
        return _ask_about(target, bomb.getvalue())
    content = target.example.read_bytes()
    cut = content[: random.randrange(len(content) // 2)]
    return _ask_about(target, random.choice([cut, random.randbytes(1000), b"%!PS-Adobe-3.0\n"]))


def traversal(target: Target, random: Random) -> Outcome:
    """Ask for a file of the machine by a path that leads out of the page's folders."""
    up = random.choice(["../", "..%2f", "%2e%2e/", "%252e%252e/", "..\\", "....//"]) * 12
    aim = random.choice(["etc/passwd", str(target.secret).lstrip("/")])
    root = random.choice(["gradio_api/file=", "gradio_api/file=/", "static/", "assets/", "file/"])
    end = random.choice(["", "%00", "%00.png", "?a=1", "/."])
    # A bare connection is used because clients normalise paths.
    with target.connect() as connection:
        connection.sendall(f"GET /{root}{up}{aim}{end} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
        return _answer(connection)


def file_of_the_machine(target: Target, random: Random) -> Outcome:
    """Name a file of the machine as if it had been uploaded."""
    others = random.choice(["/etc/passwd", "/dev/zero", "a\0b"])
    named: dict[str, object] = {"path": random.choice([str(target.secret), others])}
    if random.random() < 0.5:
        named["meta"] = {"_type": "gradio.FileData"}
    if random.random() < 0.5:
        return _ask(target, "from_file", named, 0.01, *_REST)
    drawn = {"background": named, "layers": [named], "composite": named, "id": None}
    return _ask(target, "from_drawing", drawn, 0.01, "smooth", True)


def address_to_fetch(target: Target, random: Random) -> Outcome:
    """Name a URL that the server should request."""
    named = {"path": target.listener, "is_stream": random.random() < 0.5}
    if random.random() < 0.5:
        named["meta"] = {"_type": "gradio.FileData"}
    if random.random() < 0.5:
        return _send(
            target, "GET", f"gradio_api/{random.choice(['file', 'proxy'])}={named['path']}"
        )
    return _ask(target, "from_file", named, 0.4, *_REST)


def other_route(target: Target, random: Random) -> Outcome:
    """Ask for a route of gradio's that the page does not need."""
    posted = (
        "queue/join",
        "call/from_file",
        "component_server",
        "cancel",
        "process_recording",
        "run-history/connect",
        "vibe-edit",
    )
    gotten = (
        "queue/data?session_hash=a",
        "upload_progress?upload_id=a",
        "dev/reload",
        "deep_link?session_hash=a",
        "runs",
        "user",
    )
    route = random.choice(posted + gotten)
    if route in gotten:
        return _send(target, "GET", f"gradio_api/{route}")
    return _post(target, route, b'{"data": [], "session_hash": "a"}', _JSON)


def no_http(target: Target, random: Random) -> Outcome:
    """Send bytes that are no request, or headers without an end."""
    with target.connect() as connection:
        try:
            if random.random() < 0.5:
                connection.sendall(random.randbytes(5000) + b"\r\n\r\n")
            else:
                connection.sendall(b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 200_000)
        except OSError:
            return CLOSED
        return _answer(connection)


def slow(target: Target, random: Random) -> Outcome:
    """Send a body one byte at a time, slowly."""
    with target.connect() as connection:
        head = "POST /gradio_api/run/from_file HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(random.randint(1, 4)):
            connection.sendall(b"[")
            time.sleep(0.2)
    return LEFT


KINDS: dict[str, collections.abc.Callable[[Target, Random], Outcome]] = {
    function.__name__.replace("_", " "): function
    for function in (
        large_json,
        large_upload,
        broken_upload,
        left_upload,
        malformed,
        wrong_settings,
        bad_image,
        traversal,
        file_of_the_machine,
        address_to_fetch,
        other_route,
        no_http,
        slow,
    )
}


def _answer(connection):
    """Return the outcome on a bare connection."""
    received = b""
    try:
        while piece := connection.recv(1 << 16):
            received += piece
    except OSError:
        pass
    if not received.startswith(b"HTTP/1."):
        return CLOSED
    head, _, body = received.partition(b"\r\n\r\n")
    return httpx.Response(int(head.split()[1]), content=body)
