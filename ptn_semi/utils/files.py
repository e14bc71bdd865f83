"""Writing files so that nobody finds half of one, and locks on folders."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import socket

from ptn_semi.utils.errors import UserError, first_line


@contextlib.contextmanager
def explaining(path, *kinds):
    """Turns what goes wrong while `path` is written into a sentence.

    Raises:
      UserError: an OSError, or an error of `kinds`, did.
    """
    try:
        yield
    except (OSError, *kinds) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise UserError(
            f"{path} could not be written ({reason}): free some space there or make it writable"
        ) from error


@contextlib.contextmanager
def replacing(path, *kinds):
    """A path for a file or a folder, which becomes `path` once all is written; folders are made.

    What killed processes of this machine left of the same path is removed.

    Args:
      path: of the file or folder.
      kinds: of errors, beside OSErrors, that come of a full disk.

    Raises:
      UserError: it cannot be written; what was there before is still there.
    """
    path = pathlib.Path(path)
    # As short for a name of any length, and no pattern to `glob`.
    stem = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}."
    partial = path.with_name(f"{stem}{_this_process()}.partial")
    try:
        with explaining(path, *kinds):
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f"{stem}*.partial"):
                owner = left.name.removeprefix(stem).removesuffix(".partial")
                if left == partial or not is_alive(owner):
                    _remove(left)
            yield partial
            os.replace(partial, path)
    finally:
        _remove(partial)


def _remove(path):
    """Removes a file or a folder as far as that can be done."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _this_process():
    return f"{os.getpid()}@{socket.gethostname()}"


def is_alive(process):
    """Whether a process, as a lock names it, may be running; of other machines it is not known."""
    number, _, host = process.partition("@")
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(number), 0)
    except PermissionError:  # it is somebody else's
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


@contextlib.contextmanager
def locked(path, when_taken):
    """Holds a lock, which ends with this process at the latest, on a file that stays.

    Args:
      path: the file; it gets the process's number and machine, as 1234@host.
      when_taken: called with those of the process that took it; the lock is waited for if it
        returns.

    Yields:
      The open file. Processes that inherit it hold the lock too, even after this one's end.

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
        lock.write(_this_process())
        lock.flush()
        yield lock
