"""The page's folder, and deletion of old files in it."""

import asyncio
import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import tempfile
import time

# Seconds, bytes and number that are kept, and seconds between two looks.
_KEPT, _KEPT_BYTES, _KEPT_FILES, _PAUSE = 3600, 1 << 30, 10_000, 2


@functools.cache
def folder():
    """The folder of all that visitors send and get, which this process makes and removes.

    gradio's own choice is a folder that every user and every such page of the machine shares, and
    it asks for it when it is imported: call this before.
    """
    path = pathlib.Path(tempfile.mkdtemp(prefix="ptn_semi_")).resolve()
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(path)
    return path


def sweeping(folder):
    """A lifespan for gradio's app, which sweeps the folder; what is in it at first stays."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        ours = {path for _, _, path in _files(folder)}

        async def sweep_on():
            while True:
                await asyncio.to_thread(sweep, folder, ours)
                app.get_blocks().upload_file_set.clear()  # for gradio to delete, but we do
                await asyncio.sleep(_PAUSE)

        task = asyncio.create_task(sweep_on())
        yield
        task.cancel()

    return lifespan


def sweep(folder, ours=frozenset()):
    """Deletes what is old, or over the bounds, the oldest first, but for the paths in `ours`."""
    newest_first = sorted((file for file in _files(folder) if file[2] not in ours), reverse=True)
    size_so_far = 0
    for number, (changed, size, path) in enumerate(newest_first):
        size_so_far += size
        over = size_so_far > _KEPT_BYTES or number >= _KEPT_FILES
        if over or time.time() - changed > _KEPT:
            with contextlib.suppress(OSError):
                os.unlink(path)
                os.rmdir(os.path.dirname(path))  # an upload's own; the folder is not empty


def _files(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):  # moved to its place by now
                stat = os.stat(path)
                yield stat.st_mtime, stat.st_size, path
