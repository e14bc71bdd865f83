"""Write files atomically, lock them, and read files that may hold anything."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ptn_semi.utils.errors import UserError, first_line, printable

_NAMED = 5  # of the files in a list
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextlib.contextmanager
def explaining(path: str | os.PathLike, *kinds: type[Exception]) -> Iterator[None]:
    """Turn errors while the file or folder `path` is written into a `UserError`.

    Raises:
      UserError: if an `OSError` or an error of `kinds` occurs.
    """
    failures: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except failures as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        blocked = isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError))
        fix = "give another path" if blocked else "free some space there or make it writable"
        raise UserError(f"{path} could not be written ({reason}): {fix}") from error


def check_folder(path: str | os.PathLike, described: str) -> None:
    """Check that a path is a folder, or that one can be made there.

    Raises:
      UserError: if a file is in the way; the message starts with `described`.
    """
    for place in (pathlib.Path(path), *pathlib.Path(path).parents):
        if os.path.isdir(place):
            return
        if os.path.exists(place):
            raise UserError(f"{described} needs a folder, but {place} is a file: give another path")


def check_encoding(path: str | os.PathLike, described: str) -> None:
    """Check that TensorFlow, whose paths are UTF-8, finds what Python writes at a path.

    Raises:
      UserError: if the locale encodes it in another way; the message starts with `described`.
    """
    if os.fsencode(path) != os.fspath(path).encode():
        encoding = sys.getfilesystemencoding().upper()
        raise UserError(
            f"{described} is in {encoding}, and TensorFlow needs UTF-8: set PYTHONUTF8=1 or give "
            "a path in ASCII"
        )


def check_file(path: str | os.PathLike, described: str) -> None:
    """Check that a path is not a folder, and that no file is where its folder should be.

    Raises:
      UserError: if a file or folder is in the way; the message starts with `described`.
    """
    if os.path.isdir(path):
        raise UserError(f"{described} is a folder: give a file")
    check_folder(pathlib.Path(path).parent, described)


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *kinds: type[Exception]) -> Iterator[pathlib.Path]:
    """Write a file or folder under a temporary path, then rename it to `path`.

    Parent folders are created. Temporary files that killed processes of this machine left behind
    for the same path are removed.

    Raises:
      UserError: if it cannot be written, as `explaining` says. `path` is then unchanged.
    """
    path = pathlib.Path(path)
    # A digest is short whatever the name, and holds no character that `glob` treats as a pattern.
    stem = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}."
    partial = path.with_name(f"{stem}{_this_process()}.partial")
    try:
        with explaining(path, *kinds):
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f"{stem}*.partial"):
                owner = left.name.removeprefix(stem).removesuffix(".partial")
                if left == partial or not _is_alive(owner):
                    _remove(left)
            yield partial
            os.replace(partial, path)
    finally:
        _remove(partial)


def _remove(path: pathlib.Path) -> None:
    """Remove a file or a folder as far as possible; ignore what cannot be removed."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _this_process() -> str:
    return f"{os.getpid()}@{socket.gethostname()}"


def _is_alive(process: str) -> bool:
    """Return whether a process such as 1234@host may be running, as it may on another machine."""
    number, _, host = process.partition("@")
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(number), 0)
    except PermissionError:  # it runs, and belongs to another user
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


@contextlib.contextmanager
def locked(path: str | os.PathLike, when_taken: Callable[[str], object]) -> Iterator[None]:
    """Hold a lock on a file, which then holds this process's number and machine, as 1234@host.

    The lock ends with this process at the latest; the file stays. If another process holds the
    lock, `when_taken` is called with the file's content. If that returns, this process waits. On
    a disk without locks, as some network disks are, a warning is printed instead.

    Raises:
      OSError: if the file cannot be written.
    """
    with open(path, "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            when_taken(lock.read().strip())
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            print(
                f"warning: {path} cannot be locked on this disk ({error.strerror}): see to it that "
                "no other process writes to that folder"
            )
        lock.truncate(0)
        lock.write(_this_process())
        lock.flush()
        yield


def read(path: str | os.PathLike, limit: int, fix: str) -> bytes:
    """Read a file that may hold anything.

    Args:
      path: the file. Pipes and devices, which may never end, are refused.
      limit: the largest size allowed, in bytes.
      fix: how to fix the file, the end of every error message.

    Raises:
      UserError: if it cannot be read, is not a file or is too large, or if its name is not UTF-8,
        which data sets and JSON cannot hold.
    """
    if not is_utf8(path):
        raise UserError(f"{path} has a name that is not UTF-8: rename it")
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UserError(f"{path} is not a file but a folder, a pipe or a device: {fix}")
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        if os.path.islink(path):
            target = os.readlink(os.fspath(path))
            raise UserError(
                f"{path} is a symbolic link to {target}, which does not exist: correct the link or "
                "remove it"
            ) from error
        raise UserError(f"{path} does not exist: correct the path") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {fix}") from error
    if len(data) > limit:
        raise UserError(f"{path} is larger than {limit >> 20} MiB: {fix}")
    return data


def is_utf8(path: str | os.PathLike) -> bool:
    """Return whether a file's name is valid UTF-8; Linux allows any bytes."""
    try:
        return bool(os.fspath(path).encode())
    except UnicodeEncodeError:
        return False


def some_of(paths: Sequence[str | os.PathLike]) -> str:
    """Return the first few of some paths, and how many more there are, safe to print."""
    names = [printable(os.fspath(path)) for path in paths[:_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def read_json(path: str | os.PathLike, fix: str) -> Any:
    """Read a JSON file.

    Raises:
      UserError: if it is missing or damaged; the message ends with `fix`.
    """
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # the last for deeply nested lists
        raise UserError(f"{path} is missing or damaged: {fix}") from error


@contextlib.contextmanager
def without_patterns(folder: str | os.PathLike) -> Iterator[str]:
    """Yield a path to a folder without the characters [, ], * and ?.

    TensorFlow takes those characters in a checkpoint's path for a pattern.

    Raises:
      UserError: if the path has such a character, and the system offers no other path.
    """
    if not set(os.fspath(folder)) & set("[]*?"):
        yield os.fspath(folder)
        return
    if sys.platform != "linux":
        raise UserError(
            f"{folder} has one of the characters []*? in its path, which TensorFlow takes for a "
            "pattern: rename the folder"
        )
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
