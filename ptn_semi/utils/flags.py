"""Command-line flags made from the settings classes, and flagfiles that hold them."""

import dataclasses
import os
import pathlib
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from absl import flags

from ptn_semi.utils.errors import UserError

_Settings = TypeVar("_Settings")
_FLAGFILE = ("--flagfile", "-flagfile")


def setting(
    default: Any,
    help: str,
    choices: Sequence | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare a dataclass field together with what its flag needs.

    Args:
      default: default value; the field's annotation gives the flag's type.
      help: help text of the flag.
      choices: the only values that are allowed, or None.
      low: smallest value that is allowed, or None.
      high: largest value that is allowed, or None.
    """
    bounds = {"help": help, "choices": choices, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=bounds)


def expand(argv: Sequence[str], folder: str | os.PathLike = "") -> list[str]:
    """Replace each --flagfile=PATH by the flags in that file, and ~ in --flag=~/PATH by the home.

    A flagfile has one flag a line; empty lines and lines that start with # are skipped. It may name
    other flagfiles, relative to its own folder or to the current one.

    Args:
      argv: arguments of a command.
      folder: folder of the flagfile that they come from; "" for the command line.

    Raises:
      UserError: a flagfile is missing, is not a text file, or names itself.
    """
    return _expand(list(argv), pathlib.Path(folder), ())


def _expand(argv, folder, within):
    expanded, place = [], 0
    while place < len(argv):
        argument = argv[place]
        place += 1
        if argument == "--":  # what follows are no flags
            return expanded + argv[place - 1 :]
        name, given, path = argument.partition("=")
        if name not in _FLAGFILE:
            # Shells do this only where ~ begins a word.
            expanded.append(f"{name}={os.path.expanduser(path)}" if path[:1] == "~" else argument)
            continue
        if not given:
            if place == len(argv):
                raise UserError(f"{name} needs a file: give {name}=PATH")
            path = argv[place]
            place += 1
        if path:
            expanded += _flags_in(path, folder, within)
    return expanded


def _flags_in(path, folder, within):
    path = os.path.expanduser(path)
    beside = folder / path
    file = beside if beside.exists() else pathlib.Path(path)
    if file.resolve() in within:
        raise UserError(f"--flagfile={file} names itself: take that line out of it")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(
            f"--flagfile={path} cannot be read ({error.strerror}): correct the path"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"--flagfile={path} is no text file: give a file with a flag a line"
        ) from error
    kept = [line.strip() for line in lines]
    kept = [line for line in kept if line and not line.startswith(("#", "//"))]
    return _expand(kept, file.parent, (*within, file.resolve()))


def define(*classes: type, flag_values: flags.FlagValues = flags.FLAGS) -> None:
    """Define a flag for every field of the settings classes."""
    for cls in classes:
        for field in dataclasses.fields(cls):
            _define(field, flag_values)


def _define(field, flag_values):
    name, default, meta = field.name, field.default, field.metadata
    common = {"help": meta["help"], "flag_values": flag_values}
    bounds = {"lower_bound": meta["low"], "upper_bound": meta["high"]}
    if field.type is bool:
        flags.DEFINE_bool(name, default, **common)
    elif meta["choices"]:
        choices = [str(choice) for choice in meta["choices"]]
        flags.DEFINE_enum(name, str(default), choices, **common)
    elif field.type is int:
        flags.DEFINE_integer(name, default, **common, **bounds)
    elif field.type is float:
        flags.DEFINE_float(name, default, **common, **bounds)
    elif field.type is str:
        flags.DEFINE_string(name, default, **common)
    else:
        flags.DEFINE_list(name, [str(x) for x in default], **common)
        if field.type == tuple[float, float]:
            flags.register_validator(
                name, _is_range, "two numbers, the lower first, as -20,40", flag_values
            )


def _is_range(texts):
    try:
        low, high = (float(text) for text in texts)
    except ValueError:
        return False
    return -360 <= low <= high <= 360


def collect(cls: type[_Settings], flag_values: flags.FlagValues = flags.FLAGS) -> _Settings:
    """Return the settings object that the parsed flags describe."""
    return cls(**_values(cls, flag_values))


def _values(cls, flag_values, only_present=False):
    """The values of the flags by field; with `only_present` those of the flags that were given."""
    values = {}
    for field in dataclasses.fields(cls):
        if only_present and not flag_values[field.name].present:
            continue
        value = flag_values[field.name].value
        item = typing.get_args(field.type)
        if item:
            value = tuple(item[0](text) for text in value)
        values[field.name] = field.type(value) if field.metadata["choices"] else value
    return values


def override(settings: Any, flag_values: flags.FlagValues = flags.FLAGS) -> Any:
    """Return `settings` with those fields replaced whose flags were given."""
    given = _values(type(settings), flag_values, only_present=True)
    return dataclasses.replace(settings, **given)


def to_text(*settings: Any) -> str:
    """Write a flagfile, one `--name=value` a line, that `read` turns into equal settings.

    Raises:
      UserError: a value cannot stand in one.
    """
    lines = []
    for each in settings:
        for field in dataclasses.fields(each):
            value = getattr(each, field.name)
            if isinstance(value, tuple):
                value = ",".join(str(item) for item in value)
            elif isinstance(value, bool):
                value = str(value).lower()
            text = str(value)
            if text != text.strip() or len(text.splitlines()) > 1:
                raise UserError(
                    f"--{field.name}={text!r} has a line break, or a space at an end, which no "
                    "flagfile can hold: rename it"
                )
            lines.append(f"--{field.name}={value}\n")
    return "".join(lines)


def read(path: str | os.PathLike, *classes: type) -> list[Any]:
    """Read the settings objects of a flagfile.

    Args:
      path: the flagfile.
      classes: settings classes, whose fields are all the flags that it may hold.

    Returns:
      An object of each class.

    Raises:
      UserError: the file is missing, or has flags that these classes lack.
    """
    values = flags.FlagValues()
    define(*classes, flag_values=values)
    try:
        values(["", *expand([f"--flagfile={os.fspath(path)}"])])
    except flags.Error as error:
        raise UserError(f"{path} cannot be read as flags: {error}") from error
    return [collect(cls, values) for cls in classes]
