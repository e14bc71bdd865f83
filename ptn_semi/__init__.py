"""Single-view 3D reconstruction with limited pose supervision."""

import importlib.util
import sys

__version__ = "0.1.0"

# With its own name in the error, Python makes a line of it for `python -m ptn_semi.train`.
if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError(
        f"ptn_semi needs Python 3.11 or newer, not {sys.version_info[0]}.{sys.version_info[1]}: "
        "make an environment with one, as python3.11 -m venv .venv",
        name="ptn_semi",
    )
if importlib.util.find_spec("absl") is None:
    raise ImportError(
        "the packages that ptn_semi needs are not installed here: pip install -e . installs them; "
        "make demo did so in .venv",
        name="ptn_semi",
    )

from ptn_semi.utils import cpu

cpu.use_onednn()
