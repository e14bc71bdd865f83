"""What a training says at its start about the devices that it runs on."""

import glob
import os
import sys

import tensorflow as tf

# Files of NVIDIA's driver, which are there without CUDA or a TensorFlow that uses it.
_DRIVER_FILES = ("/dev/nvidia[0-9]*", "/proc/driver/nvidia/gpus/*")
_HIDDEN = "CUDA_VISIBLE_DEVICES"  # a user who sets it has chosen the GPUs


def describe(strategy: str, num_devices: int) -> list[str]:
    """Return a line that names the devices, and a warning where one is probably not used.

    Args:
      strategy: one of `settings.STRATEGIES`.
      num_devices: how many devices share a step.
    """
    linux = sys.platform == "linux"
    num_cores = len(os.sched_getaffinity(0)) if linux else os.cpu_count()
    gpus = tf.config.list_physical_devices("GPU")
    used = gpus[:1] if strategy == "single" else gpus
    details = [tf.config.experimental.get_device_details(gpu) for gpu in used]
    names = [each.get("device_name", "GPU") for each in details] or ["CPU"]
    lines = [f"device: {', '.join(names)}; {num_cores} CPU cores"]
    if not gpus and _HIDDEN not in os.environ and any(map(glob.glob, _DRIVER_FILES)):
        lines.append(
            "warning: this machine has a GPU that TensorFlow does not see, so the CPU computes: "
            "pip install -e '.[gpu]' installs TensorFlow with CUDA"
        )
    if strategy == "mirrored" and num_devices == 1:
        lines.append(
            "warning: --strategy=mirrored found one device only: leave it out, or make more GPUs "
            "visible"
        )
    return lines
