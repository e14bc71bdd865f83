"""The compute dtype of a training's networks."""

import tensorflow as tf

from ptn_semi.settings import AUTO
from ptn_semi.utils import cpu


def fastest_precision() -> str:
    """Choose the fastest of `architectures.PRECISIONS` on this machine.

    It is "mixed_bfloat16" where all GPUs, or the CPU if there is none, multiply bfloat16 numbers
    natively. Other devices convert each number, which is slower than "float32".
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        has_half = all(each.get("compute_capability", (0, 0)) >= (8, 0) for each in details)
    else:
        has_half = cpu.computes_in_bfloat16()
    return "mixed_bfloat16" if has_half else "float32"


def choose_precision(asked: str) -> str:
    """Return the one of `architectures.PRECISIONS` that is asked for; the fastest for "auto".

    Prints what it chooses, or a note if it is slow here.
    """
    fastest = fastest_precision()
    if asked == AUTO:
        print(f"precision: {fastest}")
        return fastest
    if asked != fastest == "float32":
        print(
            f"note: this machine does not support {asked} in hardware, so steps are slower than in "
            "float32, by some 50 times on CPUs without AVX-512: --precision=auto chooses the "
            "fastest"
        )
    return asked
