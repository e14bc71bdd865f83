"""A page under load: hostile clients, and visitors whom it must answer all the while."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import http.server
import itertools
import pathlib
import random
import tempfile
import threading
import time

import httpx
import tqdm
from PIL import Image, ImageDraw

import ptn_semi
from tools.faults import hostile
from tools.faults.target import Target, held, leaked

EXAMPLE = pathlib.Path(ptn_semi.__file__).parent / "examples" / "chair.png"
# Hostile clients have their own addresses, as in a network; Linux has all of 127.0.0.0/8.
_HOSTILE, _HOLDING = "127.0.0.2", "127.0.0.3"
_THRESHOLD = 0.3


@dataclasses.dataclass
class Load:
    """What a page did under load.

    Attributes:
      outcomes: how often each status or other outcome came, for each kind of request.
      broken: (kind, outcome) of hostile requests that were not refused or got a secret.
      seconds: seconds of each visit that was answered as before the load.
      failed: what went wrong in the other visits.
    """

    outcomes: dict[str, collections.Counter] = dataclasses.field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    broken: list[tuple[str, int | str]] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)


def visit(url: str) -> tuple[bytes, ...]:
    """Upload the example and have it reconstructed.

    Args:
      url: the page's URL.

    Returns:
      (picture of the mask, mesh), as the bytes of files.

    Raises:
      httpx.HTTPError: the page refused, or could not be reached.
      ValueError: the page answered with a note instead of a shape.
    """
    with httpx.Client(base_url=url, timeout=60) as client:
        files = {"files": ("chair.png", EXAMPLE.read_bytes())}
        [path] = client.post("gradio_api/upload", files=files).raise_for_status().json()
        named = {"path": path, "meta": {"_type": "gradio.FileData"}}
        body = {
            "data": [named, _THRESHOLD, "smooth", True, "auto", None, None, None],
            "session_hash": "honest",
        }
        answer = client.post("gradio_api/run/from_file", json=body).raise_for_status().json()
        _, seen, shape, note = answer["data"]
        if shape is None:
            raise ValueError(note)
        return tuple(client.get(file["url"]).raise_for_status().content for file in (seen, shape))


def load(
    url: str,
    requests: int,
    seconds: float,
    seed: int,
    threads: int = 8,
    max_upload: int = 10 << 20,
    progress: bool = True,
) -> Load:
    """Send hostile requests from several threads while two visitors keep asking.

    Args:
      url: URL of the page, on this machine.
      requests: how many hostile requests to send.
      seconds: the longest time to send them.
      seed: seed of the requests.
      threads: how many hostile clients send at the same time.
      max_upload: bytes of the largest image that the page takes.
      progress: whether to show a bar.

    Returns:
      What the page did.
    """
    result, number = Load(), itertools.count()
    deadline = time.monotonic() + seconds
    expected = visit(url)
    over = threading.Event()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fetched, listener = stack.enter_context(_listening())
        target = Target(url, _HOSTILE, EXAMPLE, _secret(folder), listener, max_upload)
        bar = stack.enter_context(
            tqdm.tqdm(total=requests, desc="hostile", unit=" requests", disable=not progress)
        )

        def attack():
            while (mine := next(number)) < requests and time.monotonic() < deadline:
                chosen = random.Random(f"{seed} {mine}")
                kind = chosen.choice(list(hostile.KINDS))
                outcome = hostile.KINDS[kind](target, chosen)
                status = getattr(outcome, "status_code", outcome)
                result.outcomes[kind][status] += 1
                if not held(outcome) or leaked(outcome, target):
                    result.broken.append((kind, status))
                bar.update()

        def keep_visiting():
            while not over.is_set():
                started = time.monotonic()
                try:
                    answer = visit(url)
                except (httpx.HTTPError, ValueError) as error:
                    result.failed.append(repr(error))
                    continue
                if answer == expected:
                    result.seconds.append(time.monotonic() - started)
                else:
                    result.failed.append("another answer")

        for _ in range(100):
            result.outcomes["stream left open"][_hold(stack, target)] += 1
        with concurrent.futures.ThreadPoolExecutor(threads + 2) as pool:
            visitors = [pool.submit(keep_visiting) for _ in range(2)]
            attackers = [pool.submit(attack) for _ in range(threads)]
            concurrent.futures.wait(attackers)
            over.set()
            for future in (*attackers, *visitors):
                future.result()
        result.broken += [("address to fetch", path) for path in fetched]
    return result


def _hold(stack, target):
    """Open a stream that stays open, and return what the page answered."""
    connection = dataclasses.replace(target, address=_HOLDING).connect()
    stack.enter_context(connection)
    connection.sendall(b"GET /gradio_api/heartbeat/a HTTP/1.1\r\nHost: a\r\n\r\n")
    status = int(connection.recv(1000).split()[1])
    return "held" if status == 200 else status


def _secret(folder):
    """Write an image that the page could show; return its path."""
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).rectangle((20, 10, 40, 50), fill=255)
    image.save(folder / "secret.png")
    return folder / "secret.png"


@contextlib.contextmanager
def _listening():
    """Run a server on this machine; yield the paths that it is asked for, and its URL."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield asked, f"http://127.0.0.1:{server.server_address[1]}/chair.png"
    server.shutdown()
    server.server_close()
