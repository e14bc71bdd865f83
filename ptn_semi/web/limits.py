"""Limits on requests that gradio does not set."""

from __future__ import annotations

import contextlib
import os
import pathlib

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_MAX_BODY = 1 << 16  # bytes of a request without a file; a few thousand are usual
_MAX_STORED = 1 << 30  # bytes of all files of the last hour


class Limits:
    """ASGI middleware that refuses requests from other web sites and requests that are too large.

    gradio limits the size of an uploaded file, deletes old files, and keeps other sites from
    reading answers. But it acts on what other sites send, reads any other body whole, and stores as
    many files within the hour as the disk can hold. They are stored in `folder`, and each may have
    up to `max_upload` bytes.
    """

    def __init__(self, app: ASGIApp, max_upload: int, folder: pathlib.Path):
        self._app, self._max_upload, self._folder = app, max_upload, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self._refusal(scope) if scope["type"] == "http" else None
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
        if scope["method"] == "POST" and _stored_bytes(self._folder) > _MAX_STORED:
            return PlainTextResponse("too many files were uploaded: try again in an hour", 507)
        return None


def _stored_bytes(folder: pathlib.Path) -> int:
    """Return the size of all files in a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += os.stat(os.path.join(parent, name)).st_size
    return total
