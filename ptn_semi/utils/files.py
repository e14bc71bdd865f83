"""Files: written so that nobody finds half of one, locked, and read whatever may be in them."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import socket
import stat

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


def read(path, limit, mend, within=None):
    """The bytes of a file that may be anything.

    Args:
      path: the file; a pipe or a device, which may never end, is refused.
      limit: the most bytes it may have.
      mend: what messages say at their end.
      within: a folder above it out of which no symbolic link may lead.

    Raises:
      UserError: it cannot be read, is no file, is too large, or leads out of the folder; or its
        name is not UTF-8, which data sets and JSON cannot hold.
    """
    if within is not None and (problem := link_problem(within, path)):
        raise problem
    if not is_utf8(path):
        raise UserError(f"{path} has a name that is not UTF-8: rename it")
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UserError(f"{path} is not a file but a folder, a pipe or a device: {mend}")
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {mend}") from error
    if len(data) > limit:
        raise UserError(f"{path} is larger than {limit >> 20} MiB: {mend}")
    return data


def is_utf8(path):
    """Whether a file's name can be written as text: Linux allows any bytes."""
    try:
        return bool(os.fspath(path).encode())
    except UnicodeEncodeError:
        return False


def link_problem(folder, path):
    """A `UserError` where a symbolic link leads from a path below a folder out of it, or None."""
    inside = os.path.realpath(folder)
    leaves = lambda part: os.path.commonpath([inside, os.path.realpath(part)]) != inside
    if not leaves(path):
        return None
    names = os.path.relpath(path, folder).split(os.sep)
    parts = (os.path.join(folder, *names[:count]) for count in range(1, len(names) + 1))
    return UserError(
        f"{next(filter(leaves, parts))} is a symbolic link that leads out of {folder}: copy there "
        "what it points to (cp -rL does)"
    )


def read_json(path, mend):
    """What a JSON file holds.

    Args:
      path: the file.
      mend: what to do where it is missing or damaged, for the error.

    Raises:
      UserError: it is.
    """
    try:
        return json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is missing or damaged: {mend}") from error


@contextlib.contextmanager
def without_patterns(folder):
    """Another path of a folder: TensorFlow takes [, ], * and ? in a checkpoint's for a pattern."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
