"""What a training says about its devices."""

import pytest
import tensorflow as tf

from ptn_semi.training import devices


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine: the names of the GPUs that TensorFlow sees, and how many the driver has."""

    def make(seen, driven):
        details = [{"device_name": name} for name in seen]
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: range(len(seen)))
        monkeypatch.setattr(tf.config.experimental, "get_device_details", details.__getitem__)
        monkeypatch.setattr(devices.glob, "glob", lambda pattern: ["/dev/nvidia0"] * driven)
        monkeypatch.setattr(devices.os, "sched_getaffinity", lambda process: range(8))
        monkeypatch.setattr(devices.sys, "platform", "linux")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return make


def test_the_devices_that_are_used_are_named(machine):
    machine([], 0)
    assert devices.describe("single", 1) == ["device: CPU; 8 CPU cores"]
    machine(["A", "B"], 2)
    assert devices.describe("single", 1) == ["device: A; 8 CPU cores"]
    assert devices.describe("mirrored", 2) == ["device: A, B; 8 CPU cores"]


def test_a_gpu_that_tensorflow_does_not_see_gives_a_warning(machine, monkeypatch):
    machine([], 1)
    _, warning = devices.describe("single", 1)
    assert warning.startswith("warning: this machine has a GPU") and "'.[gpu]'" in warning
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # it is hidden on purpose
    assert len(devices.describe("single", 1)) == 1


def test_mirroring_on_one_device_gives_a_warning(machine):
    machine(["A"], 1)
    _, warning = devices.describe("mirrored", 1)
    assert warning.startswith("warning: --strategy=mirrored found one device")
