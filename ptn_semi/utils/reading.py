"""Reading files that may be anything: somebody else's, damaged, or no files at all."""

import contextlib
import json
import os
import pathlib
import stat

from ptn_semi.utils.errors import UserError


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
