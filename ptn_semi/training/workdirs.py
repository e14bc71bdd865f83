"""Workdirs of training runs: the `settings.flags` that each is trained with, and its lock."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

from ptn_semi import settings
from ptn_semi.data import checks
from ptn_semi.models.checkpoint_paths import holds_checkpoint, holds_pretrained, local_model
from ptn_semi.utils import files, flags
from ptn_semi.utils.errors import UserError

SETTINGS_FILE = "settings.flags"
SWEEP_FILE = "sweep.flags"  # of a sweep's workdir, which no training may use
_LOCK = ".lock"
# A data set may be moved. `start.restore` checks that it is still the same one.
_MAY_DIFFER = {"data_dir", "manual_dir"}


@contextlib.contextmanager
def claimed(workdir: pathlib.Path) -> Iterator[None]:
    """Create a workdir if it is missing, and hold its lock, so that two trainings never share it.

    Raises:
      UserError: if another process is training in the workdir, or it cannot be written.
    """

    def refuse(process: str) -> None:
        raise UserError(
            f"--workdir={workdir} is in use by process {process}: wait for it or choose another "
            "workdir"
        )

    with contextlib.ExitStack() as stack:
        with files.explaining(f"--workdir={workdir}"):
            workdir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(files.locked(workdir / _LOCK, refuse))
        yield


def check_training(
    workdir: str | os.PathLike | None,
    data: settings.DataSettings,
    train: settings.TrainSettings,
    run: settings.RunSettings,
) -> None:
    """Check that a training with these settings can start.

    Raises:
      UserError: if settings contradict each other or the workdir's, shapes are missing, a file is
        where a folder should be, or there is no model to start from.
    """
    settings.check(data, train, run)
    if workdir is not None:
        files.check_folder(workdir, f"--workdir={workdir}")
        files.check_encoding(workdir, f"--workdir={workdir}")
        check_settings(pathlib.Path(workdir), data, train)
    checks.check_shapes(data)
    if train.unlabeled_dir:
        checks.check_images(train.unlabeled_dir)
    resumes = workdir is not None and holds_checkpoint(workdir)
    others = train.init_from not in ("", settings.PRETRAINED)
    if others and not resumes:
        folder = local_model(train.init_from)
        if not holds_checkpoint(folder) and not holds_pretrained(folder):
            raise UserError(
                f"--init_from={train.init_from} holds no checkpoint: give the workdir of a "
                "training run, or pretrained"
            )


def check_settings(
    workdir: pathlib.Path, data: settings.DataSettings, train: settings.TrainSettings
) -> None:
    """Check that a workdir is new or was trained with the same settings.

    Raises:
      UserError: if the workdir's settings differ, its file of settings cannot be read, or it holds
        a sweep.
    """
    if (workdir / SWEEP_FILE).exists():
        raise UserError(
            f"--workdir={workdir} holds a sweep: give another one, such as {workdir / 'best'}"
        )
    if not (workdir / SETTINGS_FILE).exists():
        return
    old_data, old_train, _ = read_settings(workdir)
    # The workdir names the precision that "auto" chose. Training checks again once it has chosen.
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


def write_settings(
    workdir: pathlib.Path,
    data: settings.DataSettings,
    train: settings.TrainSettings,
    run: settings.RunSettings,
) -> None:
    """Write the settings that a workdir is trained with into its `settings.flags`.

    Raises:
      UserError: if the file cannot be written.
    """
    with files.replacing(workdir / SETTINGS_FILE) as partial:
        partial.write_text(flags.to_text(data, train, run), encoding="utf-8")


def read_settings(
    workdir: str | os.PathLike,
) -> tuple[settings.DataSettings, settings.TrainSettings, settings.RunSettings]:
    """Read the settings that a workdir was trained with.

    Raises:
      UserError: if this is not a workdir, or its `settings.flags` cannot be read.
    """
    path = pathlib.Path(workdir) / SETTINGS_FILE
    if not path.exists():
        raise UserError(f"{workdir} is not a workdir: it has no {SETTINGS_FILE}")
    if not path.stat().st_size:  # it would be read as all defaults
        raise UserError(f"{path} is empty: train in another workdir")
    classes = settings.DataSettings, settings.TrainSettings, settings.RunSettings
    return tuple(flags.read(path, *classes))
