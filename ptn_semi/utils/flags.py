"""Command-line flags made from the settings classes, and flagfiles written from them."""

import dataclasses
import typing

from absl import flags

from ptn_semi.utils.errors import UserError


def setting(default, help, choices=None, low=None, high=None):
    """A dataclass field with what its flag needs; `low` and `high` are inclusive bounds."""
    bounds = {"help": help, "choices": choices, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=bounds)


def define(*classes, flag_values=flags.FLAGS):
    """Defines a flag for every field of the settings classes."""
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


def collect(cls, flag_values=flags.FLAGS, only_present=False):
    """The settings object that the parsed flags describe.

    With `only_present`, a dict of the fields whose flags were given instead.
    """
    values = {}
    for field in dataclasses.fields(cls):
        if only_present and not flag_values[field.name].present:
            continue
        value = flag_values[field.name].value
        item = typing.get_args(field.type)
        if item:
            value = tuple(item[0](text) for text in value)
        values[field.name] = field.type(value) if field.metadata["choices"] else value
    return values if only_present else cls(**values)


def override(settings, flag_values=flags.FLAGS):
    """`settings` with the fields replaced whose flags were given."""
    given = collect(type(settings), flag_values, only_present=True)
    return dataclasses.replace(settings, **given)


def to_text(*settings):
    """A flagfile, one `--name=value` a line, that `read` turns into equal settings.

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


def read(path, *classes):
    """Settings objects of a flagfile that `to_text` wrote.

    Raises:
      UserError: it is missing, or has flags that these classes don't.
    """
    values = flags.FlagValues()
    flags.DEFINE_string("flagfile", "", "Read flags from here.", flag_values=values)
    define(*classes, flag_values=values)
    try:
        values(["", f"--flagfile={path}"])
    except (flags.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as flags: {error}") from error
    return [collect(cls, values) for cls in classes]
