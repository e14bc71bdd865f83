"""What every command shares: errors in one sentence, and TensorFlow loaded late and quietly.

A command parses and checks its flags first. It then imports the code that computes, within
`loading`.
"""

import contextlib
import gc
import importlib.util
import io
import os
import sys
from collections.abc import Callable, Iterator

from absl import app, logging

from ptn_semi.utils import interrupts
from ptn_semi.utils.errors import UserError
from ptn_semi.utils.files import is_utf8
from ptn_semi.utils.flags import check_local, help_text, parse

# Imports and tracing make very many objects that stay. With its own threshold of 700, Python's
# garbage collector looks through them so often that a command takes a third longer to start.
_COLLECT_AFTER = 50_000  # new objects
_HELP = {"--help", "-help", "-h", "-?"}


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Import TensorFlow without its notes; import what needs it within this context.

    Raises:
      UserError: if a package is missing, or TensorFlow is too old.
    """
    # Both must be set before TensorFlow and Keras are imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's other work has
    gc.disable()
    try:
        with interrupts.end_at_once():
            with _without_native_notes():
                import keras  # noqa: F401
                import tensorflow
            version = tensorflow.__version__
            if tuple(map(int, version.split(".")[:2])) < (2, 18):
                raise UserError(f"TensorFlow {version} is too old: pip install 'tensorflow>=2.18'")
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ptn_semi"):
            raise
        raise UserError(
            f"the package {error.name} is missing: pip install -e . installs all that are needed"
        ) from error
    finally:
        gc.freeze()  # what is imported stays
        gc.set_threshold(_COLLECT_AFTER)
        gc.enable()


@contextlib.contextmanager
def _without_native_notes():
    """Drop what C++ writes to standard error; TensorFlow's start-up notes ignore all settings."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def check_package(name: str, sentence: str) -> None:
    """Raise a `UserError` with this sentence if a package is not installed."""
    if importlib.util.find_spec(name) is None:
        raise UserError(sentence)


@contextlib.contextmanager
def output_may_close() -> Iterator[None]:
    """End quietly with exit code 1 if nobody reads the output to its end, as in `| head`."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # or the error would come when Python itself ends
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def run(
    main: Callable[..., None], define_flags: Callable[[], None], takes_arguments: bool = False
) -> None:
    """Define and parse flags and call `main`; a `UserError` ends in one sentence and exit code 1.

    Flags are not defined when a command is imported, because several commands with flags of the
    same name may be. A command that takes arguments, before or after its flags, gets their list.
    """
    logging.set_verbosity(logging.ERROR)
    define_flags()
    # File names may hold bytes that are not text.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    interrupts.raise_interrupts()

    def guarded(argv):
        if len(argv) > 1 and not takes_arguments:
            sys.exit(f"error: {argv[1]!r} is not a flag: flags start with --")
        try:
            for argument in argv[1:]:
                check_local(argument, argument)
            main(argv[1:]) if takes_arguments else main()
        except UserError as error:
            sys.exit(f"error: {error}")
        except UnicodeEncodeError as error:
            encoding = sys.getfilesystemencoding()
            if encoding == "utf-8":
                raise
            text = f"{error.object!a} cannot be the name of a file in {encoding.upper()}"
            sys.exit(f"error: {text}: set PYTHONUTF8=1")
        except KeyboardInterrupt:
            sys.exit(130)

    with output_may_close():
        app.run(guarded, flags_parser=_parse)


def _parse(argv):
    for text in argv:
        if not is_utf8(text):
            encoding = sys.getfilesystemencoding()  # of the locale
            fix = "rename the file or folder" if encoding == "utf-8" else "set PYTHONUTF8=1"
            sys.exit(f"error: {text!a} is not text in {encoding.upper()}: {fix}")
    if not _HELP.isdisjoint(argv):
        print(sys.modules["__main__"].__doc__, "flags:", help_text(), sep="\n")
        print("\nEvery command takes --flagfile=FILE too, a file with one flag a line.")
        sys.exit()
    try:
        return parse(argv)
    except UserError as error:
        sys.exit(f"error: {error}")
