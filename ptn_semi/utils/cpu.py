"""What this machine's CPU can do, and the setting that makes TensorFlow use it."""

import os
import pathlib
import platform
import sys
import warnings

_X86 = ("x86_64", "AMD64")
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
# Instructions that multiply bfloat16 numbers. Other CPUs convert each number to float32 and back.
_BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def instruction_sets() -> frozenset[str]:
    """Return the names of the CPU's instruction sets, such as avx2; none on macOS."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(flags, "").split())


def computes_in_bfloat16() -> bool:
    """Return whether the CPU multiplies bfloat16 numbers itself."""
    return bool(_BFLOAT16 & instruction_sets())


def use_onednn() -> None:
    """Make TensorFlow compute with oneDNN on x86, unless the user set its variable.

    TensorFlow does so by itself only where the CPU has AVX512-VNNI. Elsewhere a training step is
    about five times slower without oneDNN. TensorFlow reads the variable when it is imported, so
    call this before; a call that comes too late warns.
    """
    if platform.machine() not in _X86 or _ONEDNN in os.environ:
        return
    os.environ[_ONEDNN] = "1"
    if "tensorflow" in sys.modules and not onednn_is_on():
        warnings.warn(
            "TensorFlow was imported before ptn_semi and computes without oneDNN, about five times "
            f"slower on this CPU: import ptn_semi first, or set {_ONEDNN}=1",
            stacklevel=3,
        )


def onednn_is_on() -> bool:
    """Import TensorFlow and return whether it computes with oneDNN."""
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()
