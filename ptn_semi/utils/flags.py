"""Command-line flags made from the settings classes, and flagfiles that hold them."""

import codecs
import dataclasses
import functools
import inspect
import itertools
import os
import pathlib
import re
import typing
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from absl import flags

from ptn_semi.utils import hub
from ptn_semi.utils.errors import UserError

_Settings = TypeVar("_Settings")
_ON, _OFF = ("true", "yes", "1"), ("false", "no", "0")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CONFIGS, _CONFIGS_IN_CLONE = pathlib.Path(__file__).parents[1] / "configs", "ptn_semi/configs/"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_NAME = 100  # letters; absl recurses once for each when it looks for flags with similar names


def setting(
    default: Any,
    help: str,
    choices: Sequence | None = None,
    low: float | None = None,
    high: float | None = None,
    formerly: str | None = None,
    is_path: bool = False,
    is_model: bool = False,
) -> Any:
    """Declare a dataclass field together with what its flag needs.

    The field's annotation gives the flag's type. Flagfiles and commands may still use the flag's
    earlier name, `formerly`. A model is a local path too, or hf://user/model.
    """
    described = {"help": help, "choices": choices, "low": low, "high": high, "formerly": formerly}
    described |= {"is_path": is_path, "is_model": is_model}
    return dataclasses.field(default=default, metadata=described)


class Argument(NamedTuple):
    """An argument of a command."""

    text: str
    file: pathlib.Path | None = None  # the flagfile that it is from, if any


def parse(argv: Sequence[str], flag_values: flags.FlagValues = flags.FLAGS) -> list[str]:
    """Parse the arguments of a command and of its flagfiles.

    Args:
      argv: the command's name, and its arguments.
      flag_values: the defined flags, which get their values.

    Returns:
      The command's name, and the arguments that are not flags, which may stand anywhere.

    Raises:
      UserError: as `expand`, or if a flag is unknown or its value cannot be used. The message names
        the flagfile that the flag is from.
    """
    arguments = expand(argv)
    texts = [argument.text for argument in arguments]
    files = {argument.text: argument.file for argument in arguments if argument.file}
    _check_switches(texts, flag_values)
    flag_values.set_gnu_getopt(True)
    try:
        others = flag_values(texts)
    except (flags.Error, ValueError) as error:  # the latter for --noframed=false
        problem = str(error).rstrip(".")
        if isinstance(error, flags.UnrecognizedFlagError):
            text = error.flagvalue
            problem += " (--help lists all flags)"
        else:
            text = problem.removeprefix("flag ").partition(": ")[0]
        # absl names a flag that has an earlier name by its present one.
        origins = {argument.file for argument in arguments[1:]}
        file = files.get(text, origins.pop() if len(origins) == 1 else None)
        place = f"--flagfile={file} cannot be used: " if file else ""
        raise UserError(f"{place}{problem}") from error
    for text in others:
        if text in files:
            raise UserError(
                f"--flagfile={files[text]} has the line {text!r}, which is not a flag: give one "
                "flag a line, as --name=value"
            )
    return others


def _check_switches(texts: Sequence[str], flag_values: flags.FlagValues) -> None:
    """Check that no flag that is on or off is followed by a word for that, which absl ignores.

    Raises:
      UserError: if one is; the message says how to write it.
    """
    for flag, word in itertools.pairwise(texts):
        if flag == "--":  # no flags follow
            return
        name = flag.lstrip("-")
        is_negated = name not in flag_values
        name = name.removeprefix("no") if is_negated else name
        is_switch = flag.startswith("-") and name in flag_values and flag_values[name].boolean
        if not is_switch or word.lower() not in _ON + _OFF:
            continue
        on, off = f"--{name} or --{name}=true", f"--no{name} or --{name}=false"
        fix = f"--{name} or --no{name}" if is_negated else on if word.lower() in _ON else off
        raise UserError(f"{flag} takes no separate value such as {word}: write {fix}")


def expand(
    argv: Sequence[str],
    folder: pathlib.Path = pathlib.Path(),
    within: tuple[pathlib.Path, ...] = (),
) -> list[Argument]:
    """Replace each --flagfile=PATH by the flags in that file, and ~ in --flag=~/PATH by the home.

    A flagfile has one flag a line; empty lines and lines that start with # are skipped. Unlike
    those of absl, it may name other flagfiles relative to its own folder as well as to the current
    one. The package's own are found by their names everywhere, if there are no others.

    Args:
      argv: arguments of a command, or the lines of a flagfile.
      folder: folder of that flagfile.
      within: that flagfile and those that led to it.

    Raises:
      UserError: if a flagfile is missing, is not a text file, or names itself, or if a flag's name
        is far too long.
    """
    expanded: list[Argument] = []
    source = within[-1] if within else None
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":  # no flags follow
            return [*expanded, *(Argument(text, source) for text in (argument, *arguments))]
        name, equals, value = argument.partition("=")
        if name.startswith("-") and len(name) > _MAX_NAME:
            place = f" in --flagfile={source}" if source else ""
            raise UserError(f"{name[:20]}...{place} is not a flag: remove it")
        if value.startswith("~"):  # which shells replace only at the start of a word
            value = os.path.expanduser(value)
        if name not in ("--flagfile", "-flagfile"):
            expanded.append(Argument(name + equals + value, source))
            continue
        path = value if equals else next(arguments, None)
        if path is None:
            raise UserError(f"{name} needs a file: give {name}=PATH")
        if not path:
            continue
        check_local(path, f"{name}={path}")
        packaged = _CONFIGS / path.removeprefix(_CONFIGS_IN_CLONE)
        places = folder / path, pathlib.Path(path), packaged
        file = next((place for place in places if place.exists()), places[1]).resolve()
        if file in within:
            raise UserError(f"--flagfile={file} names itself: remove that line from it")
        expanded += expand(_lines(file), file.parent, (*within, file))
    return expanded


def _lines(file: pathlib.Path) -> list[str]:
    """Read the lines of a flagfile without comments.

    The file is UTF-8, or UTF-16 with a byte-order mark, as PowerShell's `>` writes it.
    """
    try:
        data = file.read_bytes()
        text = data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig")
    except OSError as error:
        problem = f"cannot be read ({error.strerror}): correct the path"
        raise UserError(f"--flagfile={file} {problem}") from error
    except UnicodeDecodeError as error:
        problem = "is not a text file in UTF-8: give a file with one flag a line"
        raise UserError(f"--flagfile={file} {problem}") from error
    lines = map(str.strip, text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "//"))]


def define(*classes: type, flag_values: flags.FlagValues = flags.FLAGS) -> None:
    """Define a flag for every field of the settings classes."""
    for cls in classes:
        for field in dataclasses.fields(cls):
            _define(field, flag_values)
            owner = next(c for c in cls.__mro__ if field.name in inspect.get_annotations(c))
            group = (owner.__doc__ or "").partition(".")[0]
            flag_values.register_key_flag_for_module(group, flag_values[field.name])


def help_text(flag_values: flags.FlagValues = flags.FLAGS) -> str:
    """Describe a command's flags: its own, and under a title those of each settings class.

    absl's --help shows only the former, and its --helpfull mixes the latter with absl's flags.
    """
    own = flag_values.module_help("__main__").removeprefix("\n__main__:\n")
    groups = map(flag_values.module_help, flag_values.key_flags_by_module_dict())
    return "\n".join([own, *groups])


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
                name, _is_range, "two numbers, the lower first, such as -20,40", flag_values
            )
    if meta["is_path"] or meta["is_model"]:
        keep_local(name, models=meta["is_model"], flag_values=flag_values)
    if meta["formerly"]:
        flags.DEFINE_alias(meta["formerly"], name, flag_values)


def keep_local(
    *names: str, models: bool = False, flag_values: flags.FlagValues = flags.FLAGS
) -> None:
    """Have parsing end with a `UserError` if the path in one of these flags is not local.

    The flags of `models` may also have the form hf://user/model.
    """

    def check(name, value):
        if not (models and hub.is_address(value or "")):
            check_local(value or "", f"--{name}={value}")
        return True

    for name in names:
        flags.register_validator(name, functools.partial(check, name), flag_values=flag_values)


def check_local(path: str, described: str) -> None:
    """Check that a path is not the address of a file elsewhere, such as gs://bucket/run.

    Raises:
      UserError: if it is; the message starts with `described`.
    """
    if _ADDRESS.match(path):
        raise UserError(
            f"{described}: only local paths are supported: mount the bucket, or copy the files"
        )


def require(name: str, example: str) -> None:
    """Have parsing end with a `UserError` if a flag is not given or has no value."""

    def check(value):
        if not value:
            raise UserError(f"--{name} is missing: give --{name}={example}")
        return True

    flags.register_validator(name, check)


def _is_range(texts):
    try:
        low, high = (float(text) for text in texts)
    except ValueError:
        return False
    return -360 <= low <= high <= 360


def collect(cls: type[_Settings], flag_values: flags.FlagValues = flags.FLAGS) -> _Settings:
    """Return the settings object that the parsed flags describe."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    return cls(**{field.name: _value(field, flag_values) for field in fields})


def override(settings: Any, flag_values: flags.FlagValues = flags.FLAGS) -> Any:
    """Return `settings` with those fields replaced whose flags were given."""
    fields = dataclasses.fields(settings)
    given = [field for field in fields if flag_values[field.name].present]
    return dataclasses.replace(settings, **{f.name: _value(f, flag_values) for f in given})


def _value(field, flag_values):
    """Return the value of a field's flag; tell the user if it was given by its earlier name."""
    former = field.metadata["formerly"]
    if former and flag_values[former].present and flag_values is flags.FLAGS:
        print(f"note: --{former} is now called --{field.name}")
    value = flag_values[field.name].value
    item = typing.get_args(field.type)
    if item:
        value = tuple(item[0](text) for text in value)
    return field.type(value) if field.metadata["choices"] else value


def to_text(*settings: Any) -> str:
    """Write a flagfile, one `--name=value` a line, that `read` turns into equal settings.

    Raises:
      UserError: if a value cannot be written in one.
    """
    lines = []
    for name, value in itertools.chain(*(dataclasses.asdict(each).items() for each in settings)):
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        if isinstance(value, bool):
            text = text.lower()
        if text != text.strip() or len(text.splitlines()) > 1:
            raise UserError(
                f"--{name}={text!r} has a line break, or a space at an end, which a flagfile "
                "cannot hold: rename it"
            )
        lines.append(f"--{name}={text}\n")
    return "".join(lines)


def read(path: str | os.PathLike, *classes: type) -> list[Any]:
    """Read an object of each of these settings classes from a flagfile.

    Raises:
      UserError: if the file is missing, or has flags that these classes lack.
    """
    values = flags.FlagValues()
    define(*classes, flag_values=values)
    parse(["", f"--flagfile={os.fspath(path)}"], values)
    return [collect(cls, values) for cls in classes]
