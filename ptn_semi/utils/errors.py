"""The one exception that mains turn into a sentence instead of a traceback; others in a line."""


class UserError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that names the thing (flag, file, folder) and says how to mend it.
    It can be printed anywhere: in names of files, control characters and bytes that are not UTF-8
    are shown as escapes.
    """

    def __str__(self):
        return "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode() for c in super().__str__()
        )


def first_line(error):
    """What an error says first; TensorFlow's go on for a page."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
