"""Writing files so that nobody finds half of one, and locks on folders."""

import contextlib
import fcntl
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


@contextlib.contextmanager
def locked(path, when_taken):
    """Holds a lock, which ends with this process at the latest, on a file that stays.

    Args:
      path: the file; it gets the process's number.
      when_taken: called with the number of a process that holds it; the lock is waited for if it
        returns.

    Raises:
      OSError: the file cannot be written.
    """
    with open(path, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            when_taken(lock.read().strip())
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
