"""What every main shares: quiet start, and errors as one sentence. Mains import it first."""

import contextlib
import os
import signal
import sys

from absl import app, flags, logging

from ptn_semi.errors import UserError

_TENSORFLOW = (2, 18)  # the oldest that is known to do
# Must be set before TensorFlow and Keras are imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's other work has


def _explain(kind, error, traceback):
    """In place of a traceback for a package that is not installed."""
    if issubclass(kind, ModuleNotFoundError) and not (error.name or "").startswith("ptn_semi"):
        print(
            f"error: the package {error.name} is missing: pip install -e . installs all that are "
            "needed",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _explain


@contextlib.contextmanager
def _without_native_notes():
    """Drops what C++ writes to standard error: TensorFlow's notes on start-up heed no setting."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with _without_native_notes():
    import tensorflow

if tuple(map(int, tensorflow.__version__.split(".")[:2])) < _TENSORFLOW:
    sys.exit(
        f"error: TensorFlow {tensorflow.__version__} is too old: "
        f"pip install 'tensorflow>={_TENSORFLOW[0]}.{_TENSORFLOW[1]}'"
    )


def run(main, takes_arguments=False):
    """Parses flags and calls `main()`; a `UserError` ends in one sentence and exit code 1.

    With `takes_arguments` calls `main(arguments)` with what is no flag, before or after flags.
    """
    logging.set_verbosity(logging.ERROR)
    # Names of files may hold bytes that are no text.
    sys.stdout.reconfigure(errors="backslashreplace")
    # A job that is told to stop saves its state like one that is interrupted by hand.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def guarded(argv):
        if len(argv) > 1 and not takes_arguments:
            sys.exit(f"error: {argv[1]!r} is not a flag: flags start with --")
        try:
            main(argv[1:]) if takes_arguments else main()
        except UserError as error:
            sys.exit(f"error: {error}")
        except BrokenPipeError:  # as of `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except KeyboardInterrupt:
            sys.exit(130)

    flags.FLAGS.set_gnu_getopt(takes_arguments)
    app.run(guarded, flags_parser=_parse)


def _parse(argv):
    for text in argv:
        try:
            text.encode()
        except UnicodeEncodeError:
            sys.exit(f"error: {text!a} is no text in UTF-8: rename the file or folder")
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        text = str(error).removeprefix("ERROR:: ").rstrip(".")
        sys.exit(f"error: {text} (--helpfull lists all flags)")
    except UnicodeDecodeError:
        named = " ".join(text for text in argv if text.lstrip("-").startswith("flagfile"))
        sys.exit(f"error: {named} is no text file: give a file with a flag a line")
