"""The page that hostile clients visit, and the check that its answers are as promised."""

import dataclasses
import pathlib
import socket

import httpx

CLOSED, LEFT, NONE = "hung up on", "left by the client", "not answered"
Outcome = httpx.Response | str  # an answer, or one of the words above
_PATIENCE = 30  # seconds


@dataclasses.dataclass(frozen=True)
class Target:
    """A page under load.

    Attributes:
      url: the page's URL, with its port.
      address: IP address of this client.
      example: path of an image.
      secret: path of an image on the machine that no visitor may see, alone in its folder.
      listener: URL that the server must not request.
      max_upload: bytes of the largest image that the page takes.
    """

    url: str
    address: str
    example: pathlib.Path
    secret: pathlib.Path
    listener: str
    max_upload: int

    def client(self) -> httpx.Client:
        """Return a client for one connection."""
        transport = httpx.HTTPTransport(local_address=self.address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=_PATIENCE)

    def connect(self) -> socket.socket:
        """Open a bare connection."""
        url = httpx.URL(self.url)
        assert url.port is not None, f"{self.url} has no port"
        return socket.create_connection((url.host, url.port), _PATIENCE, (self.address, 0))


def held(outcome: Outcome) -> bool:
    """Tell whether an outcome is as promised: an error, or a refusal within the answer."""
    if not isinstance(outcome, httpx.Response):
        return outcome != NONE
    return outcome.status_code >= 400 or _explained(outcome)


def _explained(answer):
    """Tell whether the page says in words why there is no shape, or that it took no file."""
    try:
        said = answer.json()
        return said == [] or (bool(said["data"][-1]) and not any(said["data"][:-1]))
    except (ValueError, KeyError, TypeError):
        return False


def leaked(outcome: Outcome, target: Target) -> bool:
    """Tell whether an outcome holds a file of the machine."""
    body = outcome.content if isinstance(outcome, httpx.Response) else b""
    return target.secret.read_bytes() in body or b"root:x:" in body
