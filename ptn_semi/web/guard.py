"""What the page's server lets in: the routes that its browser side needs, and so much of each."""

import asyncio
import collections
import re

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

# gradio has many more routes. They fetch other sites for a visitor, or keep what is sent: layers
# of drawings, a queue with its messages, links to a page's state, recordings, a run's history.
_SERVED = re.compile(
    r"/|/(assets|static)/.+|/(config|favicon\.ico|manifest\.json|theme\.css)"
    r"|/gradio_api/(file=/.+|heartbeat/\w+|info|run/\w+|startup-events"
    r"|theme\.css|upload)"
)
_ANSWER, _UPLOAD = "/gradio_api/run/", "/gradio_api/upload"
_LARGEST = 1 << 16  # bytes of a request that is no upload: a few hundred are usual
_FORM = 1 << 16  # bytes that a form adds to the file in it
_PATIENCE = 120  # seconds for a body to come in
_AT_ONCE, _OF_ONE = 256, 64  # requests, of all and of one address


class Guard:
    """ASGI middleware that answers with an error what is too much or not for visitors.

    Args:
      app: the ASGI application behind it.
      max_upload: bytes of the largest file.
    """

    def __init__(self, app, max_upload):
        self._app = app
        self._max_upload = max_upload
        self._open = collections.Counter()  # requests by address
        # A large image's pixels take a thousand times the bytes that were sent, so one is worked
        # on at a time, and none waits for more than one of each other address.
        self._work = asyncio.Lock()
        self._turns = collections.defaultdict(asyncio.Lock)  # by address

    async def __call__(self, scope, receive, send):
        """Answers one request; see the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = scope["client"] and scope["client"][0]
        if not _SERVED.fullmatch(scope["path"]):
            await _refuse(404, "not found", scope, receive, send)
        elif self._open[address] >= _OF_ONE or self._open.total() >= _AT_ONCE:
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

    async def _let_in(self, address, scope, receive, send):
        uploads = scope["path"] == _UPLOAD
        limit = self._max_upload + _FORM if uploads else _LARGEST
        try:
            receive = _bounded(scope, receive, limit)
            if uploads:
                # gradio keeps an entry for every name under which progress could be asked for.
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


async def _refuse(status, text, *connection):
    await PlainTextResponse(text, status)(*connection)


def _bounded(scope, receive, limit):
    """`receive` that raises an HTTPException over a limit of bytes, or if they take too long.

    Raises:
      HTTPException: the request says itself that there are more.
    """
    too_large = HTTPException(413, f"a request of more than {limit} bytes is not taken")
    if int(dict(scope["headers"]).get(b"content-length", 0)) > limit:
        raise too_large
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    count, complete = 0, False

    async def receive_bounded():
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


async def _whole(receive):
    """The messages of one request: none of it stays in a file if the rest does not come."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _again(messages, receive):
    """`receive` that gives the messages first."""
    waiting = collections.deque(messages)

    async def receive_again():
        return waiting.popleft() if waiting else await receive()

    return receive_again
