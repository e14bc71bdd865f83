"""A bound on the page's log: a malformed request writes a traceback, and anyone can send many."""

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import TextIO

_MOST = 10 << 20  # characters of standard output and of standard error


class Bounded(io.TextIOBase):
    """A text stream that passes on so much and no more, and says where it stops.

    Args:
      stream: the stream to write to.
      most: how many characters.
    """

    def __init__(self, stream: TextIO, most: int):
        self._stream, self._left = stream, most

    def write(self, text: str) -> int:
        """Write as much of the text as there is room for."""
        if self._left > 0:
            self._stream.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._stream.write("\nThe log is full and ends here; restart the page for more.\n")
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Bound what is printed within this context."""
    with (
        contextlib.redirect_stdout(Bounded(sys.stdout, _MOST)),
        contextlib.redirect_stderr(Bounded(sys.stderr, _MOST)),
    ):
        yield
