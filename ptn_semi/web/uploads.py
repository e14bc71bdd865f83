"""The folder of uploads and results, and the deletion of old files in it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.routes import App

# Limits of what is kept: age in seconds, size in bytes, number of files.
_KEPT, _KEPT_BYTES, _KEPT_FILES = 3600, 1 << 30, 10_000
_PAUSE = 2  # seconds between two sweeps


@functools.cache
def folder() -> pathlib.Path:
    """Return the folder of all files that visitors send and receive.

    The first call creates it, and it is removed when the process ends. gradio's default is a folder
    that all users and gradio pages of the machine share. gradio looks for its folder when it is
    imported, so call this before.
    """
    path = pathlib.Path(tempfile.mkdtemp(prefix="ptn_semi_")).resolve()
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(path)
    return path


def sweeping(folder: pathlib.Path) -> Callable[[App], AbstractAsyncContextManager[None]]:
    """Return a lifespan for gradio's app that sweeps a folder every few seconds.

    Files that are in the folder when the app starts belong to the page and stay.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        ours = {path for _, _, path in _files(folder)}

        async def sweep_on() -> None:
            while True:
                await asyncio.to_thread(sweep, folder, ours)
                # gradio's own list of files to delete, which would only grow.
                app.get_blocks().upload_file_set.clear()
                await asyncio.sleep(_PAUSE)

        task = asyncio.create_task(sweep_on())
        yield
        task.cancel()

    return lifespan


def sweep(folder: pathlib.Path, ours: AbstractSet[str] = frozenset()) -> None:
    """Delete old files, and the oldest ones while there are too many or they are too large.

    Args:
      folder: the folder to sweep.
      ours: paths that stay.
    """
    newest_first = sorted((file for file in _files(folder) if file[2] not in ours), reverse=True)
    size_so_far = 0
    for number, (changed, size, path) in enumerate(newest_first):
        size_so_far += size
        over = size_so_far > _KEPT_BYTES or number >= _KEPT_FILES
        if over or time.time() - changed > _KEPT:
            with contextlib.suppress(OSError):
                os.unlink(path)
                os.rmdir(
                    os.path.dirname(path)
                )  # an upload's own folder; `folder` itself is not empty


def _files(folder: pathlib.Path) -> Iterator[tuple[float, int, str]]:
    """Yield (time of change, size in bytes, path) of every file in a folder."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):  # gradio has just moved it
                stat = os.stat(path)
                yield stat.st_mtime, stat.st_size, path
