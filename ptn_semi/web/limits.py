"""Limits on requests that gradio does not set."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import time

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_MAX_BODY = 1 << 16  # bytes of a request without a file; a few thousand are usual
_MAX_STORED, _MAX_FILES = 1 << 30, 10_000  # bytes and number of all files


class Limits:
    """ASGI middleware that refuses requests from other web sites and requests that are too large.

    gradio limits the size of an uploaded file, deletes old files, and keeps other sites from
    reading answers. But it acts on what other sites send, reads any other body whole, and stores as
    many files within the hour as the disk can hold. They are stored in `folder`, and each may have
    up to `max_upload` bytes. Where there are too many, the oldest are deleted.
    """

    def __init__(self, app: ASGIApp, max_upload: int, folder: pathlib.Path):
        self._app, self._max_upload, self._folder = app, max_upload, folder
        self._started = time.time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self._refusal(scope) if scope["type"] == "http" else None
        if answer is None and scope["type"] == "http" and scope["method"] == "POST":
            await asyncio.to_thread(_make_room, self._folder, self._started)
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """Return the answer to a request that is refused, or None."""
        headers = Headers(scope=scope)
        # Browsers name the site that sends a request, unless somebody follows a link.
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return PlainTextResponse("requests from other web sites are refused", 403)
        if "transfer-encoding" in headers:  # browsers send the length instead
            return PlainTextResponse("a request has to say how long its body is", 411)
        uploads = scope["path"].rstrip("/").endswith("/upload")
        limit = _MAX_BODY + (self._max_upload if uploads else 0)
        if int(headers.get("content-length", 0)) > limit:
            return PlainTextResponse(f"requests of more than {limit} bytes are refused", 413)
        return None


def _make_room(folder: pathlib.Path, started: float) -> None:
    """Delete the oldest files in a folder until the others are few and small enough.

    Files from before `started`, such as the page's examples, stay.
    """
    stored = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                stat = os.stat(path)
                if stat.st_mtime >= started:
                    stored.append((stat.st_mtime, stat.st_size, path))
    total = 0
    for number, (_, size, path) in enumerate(sorted(stored, reverse=True)):
        total += size
        if total > _MAX_STORED or number >= _MAX_FILES:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
