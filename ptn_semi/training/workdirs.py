"""What a workdir is trained with, and by whom: its `settings.flags`, and a lock."""

import contextlib
import dataclasses
import fcntl
import pathlib

from ptn_semi import settings
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

SETTINGS_FILE = "settings.flags"
_LOCK = ".lock"
# A moved data set is still the same one; that it is, is checked apart.
_MAY_DIFFER = {"data_dir", "manual_dir"}


@contextlib.contextmanager
def claimed(workdir):
    """Holds a lock on the workdir, so that two trainings never write into one.

    Yields:
      The open file of the lock; see `files.locked`.
    """

    def refuse(process):
        if files.is_alive(process):
            raise UserError(
                f"--workdir={workdir} is in use by process {process}: wait for it or choose "
                "another workdir"
            )
        print(f"waiting for what process {process} started before it was killed")

    with contextlib.ExitStack() as stack:
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(files.locked(workdir / _LOCK, refuse))
        except OSError as error:
            raise UserError(
                f"--workdir={workdir} cannot be written ({error.strerror}): make it writable or "
                "give another"
            ) from error
        yield lock


def in_use(workdir):
    """Whether a training runs in a workdir."""
    lock_path = pathlib.Path(workdir) / _LOCK
    if not lock_path.exists():
        return False
    with open(lock_path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def check_settings(workdir, data, train):
    """Refuses a workdir that was trained with other settings."""
    if not (workdir / SETTINGS_FILE).exists():
        return
    old_data, old_train, _ = read_settings(workdir)
    # The workdir names the precision that was chosen; training checks again when it has chosen.
    may_differ = _MAY_DIFFER | ({"precision"} if train.precision == settings.AUTO else set())
    differing = [
        f"--{field.name}={getattr(new, field.name)} (there {getattr(old, field.name)})"
        for old, new in ((old_data, data), (old_train, train))
        for field in dataclasses.fields(old)
        if field.name not in may_differ and getattr(old, field.name) != getattr(new, field.name)
    ]
    if differing:
        raise UserError(
            f"{workdir} was trained with other settings: {', '.join(differing)}; "
            "give the same ones or another --workdir"
        )


def write_settings(workdir, data, train, run):
    """Writes down what a workdir is trained with."""
    with files.replacing(workdir / SETTINGS_FILE) as partial:
        partial.write_text(flags.to_text(data, train, run))


def read_settings(workdir):
    """(DataSettings, TrainSettings, RunSettings) that a workdir was trained with."""
    path = pathlib.Path(workdir) / SETTINGS_FILE
    if not path.exists():
        raise UserError(f"{workdir} is not a workdir: it has no {SETTINGS_FILE}")
    if not path.stat().st_size:  # which would read as flags that all have their defaults
        raise UserError(f"{path} is empty: train in another workdir")
    classes = settings.DataSettings, settings.TrainSettings, settings.RunSettings
    return tuple(flags.read(path, *classes))
