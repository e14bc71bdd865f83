"""Limits on requests: the page's server answers only what its own page sends."""

import asyncio
import collections
import re

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# gradio has many more routes. Some fetch other sites for a visitor. Others store what is sent:
# layers of drawings, a queue with its messages, links to a page's state, recordings, past runs.
_SERVED = re.compile(
    r"/|/(assets|static)/.+|/(config|favicon\.ico|manifest\.json|theme\.css)"
    r"|/gradio_api/(file=/.+|heartbeat/\w+|info|run/\w+|startup-events"
    r"|theme\.css|upload)"
)
_ANSWER, _UPLOAD = "/gradio_api/run/", "/gradio_api/upload"
_LARGEST = 1 << 16  # bytes of a request that is not an upload; a few hundred are usual
_FORM = 1 << 16  # bytes that a form adds to the file that it holds
_PATIENCE = 120  # seconds in which a request's body must arrive
# Open requests: of each address; of all, above which each may have a few only; of all in any case.
# However many a few addresses open, others still find a place.
_OF_ONE, _AT_ONCE, _FEW, _MOST = 64, 256, 8, 1024


class Guard:
    """ASGI middleware that rejects requests that are too large, too many or not allowed.

    Args:
      app: the ASGI application behind it.
      max_upload: size of the largest file that may be uploaded, in bytes.
    """

    def __init__(self, app: ASGIApp, max_upload: int):
        self._app = app
        self._max_upload = max_upload
        self._open: collections.Counter[str | None] = collections.Counter()  # requests by address
        # The pixels of an image can take a thousand times the bytes that were sent, so only one
        # image is worked on at a time. A request waits for at most one of each other address.
        self._work = asyncio.Lock()
        self._turns: dict[str | None, asyncio.Lock] = collections.defaultdict(asyncio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the arguments are those of the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = scope["client"] and scope["client"][0]
        if not _SERVED.fullmatch(scope["path"]):
            await _refuse(404, "not found", scope, receive, send)
        elif self._open[address] >= self._places():
            await _refuse(503, "too many requests at once: try again", scope, receive, send)
        else:
            self._open[address] += 1
            try:
                await self._let_in(address, scope, receive, send)
            finally:
                self._open[address] -= 1
                if not self._open[address]:
                    self._open.pop(address)
                    self._turns.pop(address, None)

    def _places(self) -> int:
        """Return how many requests an address may have open."""
        total = self._open.total()
        return _OF_ONE if total < _AT_ONCE else _FEW if total < _MOST else 0

    async def _let_in(
        self, address: str | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on to the application, with limits on its body."""
        uploads = scope["path"] == _UPLOAD
        limit = self._max_upload + _FORM if uploads else _LARGEST
        try:
            receive = _bounded(scope, receive, limit)
            if uploads:
                # The query names the upload for requests of its progress. gradio would keep an
                # entry for every name.
                scope = {**scope, "query_string": b""}
            else:
                receive = _again(await _whole(receive), receive)
        except HTTPException as error:
            await _refuse(error.status_code, error.detail, scope, receive, send)
            return
        if scope["path"].startswith(_ANSWER):
            async with self._turns[address], self._work:
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _refuse(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status)(scope, receive, send)


def _bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Wrap `receive` to raise an HTTPException if a body is too large or arrives too slowly.

    Args:
      scope: the request's ASGI scope.
      receive: the request's ASGI `receive`.
      limit: size of the largest body, in bytes.

    Raises:
      HTTPException: if the request's headers announce a body over the limit.
    """
    too_large = HTTPException(413, f"requests of more than {limit} bytes are not accepted")
    if int(dict(scope["headers"]).get(b"content-length", 0)) > limit:
        raise too_large
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    count, complete = 0, False

    async def receive_bounded() -> Message:
        nonlocal count, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(408, "the request took too long") from error
        count += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if count > limit:
            raise too_large
        return message

    return receive_bounded


async def _whole(receive: Receive) -> list[Message]:
    """Receive all of a request first, so that gradio never stores an incomplete one in a file."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Wrap `receive` to return these messages before any others."""
    waiting = collections.deque(messages)

    async def receive_again() -> Message:
        return waiting.popleft() if waiting else await receive()

    return receive_again
