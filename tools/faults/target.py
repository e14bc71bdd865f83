"""The page that hostile clients visit, and which of its answers are as promised."""

import dataclasses
import pathlib
import socket

import httpx

CLOSED, LEFT, NONE = "hung up on", "left by the client", "not answered"
_PATIENCE = 30  # seconds


@dataclasses.dataclass(frozen=True)
class Target:
    """A page under load.

    Attributes:
      url: of the page.
      address: of this client.
      example: path of an image.
      secret: path of an image of the machine that no visitor may see; its folder has no other.
      listener: URL that the server must not ask for.
      max_upload: bytes of the largest image.
    """

    url: str
    address: str
    example: pathlib.Path
    secret: pathlib.Path
    listener: str
    max_upload: int

    def client(self):
        """A client for one connection."""
        transport = httpx.HTTPTransport(local_address=self.address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=_PATIENCE)

    def connect(self):
        """A bare connection."""
        url = httpx.URL(self.url)
        return socket.create_connection((url.host, url.port), _PATIENCE, (self.address, 0))


def held(outcome):
    """Whether an outcome is as promised: an error, or a refusal within the answer."""
    if not isinstance(outcome, httpx.Response):
        return outcome != NONE
    return outcome.status_code >= 400 or _explained(outcome)


def _explained(answer):
    """Whether the page says in words why there is no shape, or that it took no file."""
    try:
        said = answer.json()
        return said == [] or (bool(said["data"][-1]) and not any(said["data"][:-1]))
    except (ValueError, KeyError, TypeError):
        return False


def leaked(outcome, target):
    """Whether an outcome holds a file of the machine."""
    body = outcome.content if isinstance(outcome, httpx.Response) else b""
    return target.secret.read_bytes() in body or b"root:x:" in body
