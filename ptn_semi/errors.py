"""The one exception that mains turn into a sentence instead of a traceback."""


class UserError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that names the thing (flag, file, folder) and says how to mend it.
    """
