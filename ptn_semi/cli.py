"""What every main shares: quiet start, and errors as one sentence. Mains import it first."""

import contextlib
import os
import signal
import sys

from absl import app, flags, logging

from ptn_semi.errors import UserError

# Must be set before TensorFlow is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


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
    import tensorflow  # noqa: F401


def run(main, takes_arguments=False):
    """Parses flags and calls `main()`; a `UserError` ends in one sentence and exit code 1.

    With `takes_arguments` calls `main(arguments)` with what is no flag, before or after flags.
    """
    logging.set_verbosity(logging.ERROR)
    # A job that is told to stop saves its state like one that is interrupted by hand.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def guarded(argv):
        if len(argv) > 1 and not takes_arguments:
            sys.exit(f"error: {argv[1]!r} is not a flag: flags start with --")
        try:
            main(argv[1:]) if takes_arguments else main()
        except UserError as error:
            sys.exit(f"error: {error}")
        except KeyboardInterrupt:
            sys.exit(130)

    flags.FLAGS.set_gnu_getopt(takes_arguments)
    app.run(guarded, flags_parser=_parse)


def _parse(argv):
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        text = str(error).removeprefix("ERROR:: ").rstrip(".")
        sys.exit(f"error: {text} (--helpfull lists all flags)")
