"""What this machine's CPU can do, and the setting that TensorFlow needs to make use of it."""

import os
import pathlib
import platform
import sys
import warnings

_X86 = ("x86_64", "AMD64")
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
# Instructions that multiply bfloat16 numbers; other CPUs convert each of them to float32 and back.
_BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def instruction_sets():
    """Names of the CPU's instruction sets, as avx2; empty where the system does not tell."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # as on macOS
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(flags, "").split())


def computes_in_bfloat16():
    """Whether the CPU multiplies bfloat16 numbers itself."""
    return bool(_BFLOAT16 & instruction_sets())


def use_onednn():
    """Has TensorFlow compute with oneDNN on x86, unless the user set its variable.

    TensorFlow does so by itself only where the CPU has AVX512-VNNI; elsewhere a training step is
    about five times slower without. It reads the variable when it is imported, so this must come
    before. It warns where it comes too late.
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


def onednn_is_on():
    """Whether TensorFlow, which this imports, computes with oneDNN."""
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()
