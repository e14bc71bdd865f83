"""Writing files so that nobody finds half of one."""

import contextlib
import os
import pathlib
import shutil

from ptn_semi.errors import UserError


@contextlib.contextmanager
def replacing(path):
    """A path for a file or a folder, which becomes `path` once all is written; folders are made.

    Raises:
      UserError: it cannot be written; what was there before is still there.
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise UserError(
            f"{path} could not be written ({error.strerror or error}): free some space there or "
            "make it writable"
        ) from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
