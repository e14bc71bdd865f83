"""The one exception that commands print as a sentence instead of a traceback, and safe texts."""


class UserError(Exception):
    """An error in what the user gave, which the user can fix.

    The message is one sentence that names the flag, file or folder and says how to fix it. It is
    safe to print anywhere: control characters in file names, and bytes that are not UTF-8, are
    shown as escapes.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """Return a text with escapes for control characters and for bytes that are not UTF-8."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the error's type if it has no message.

    TensorFlow's messages can fill a page.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
