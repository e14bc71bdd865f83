"""Training steps that several devices or processes share."""

import dataclasses
import os
import shutil
import socket
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from ptn_semi.models import checkpoints
from ptn_semi.training import distribution
from ptn_semi.utils.errors import UserError
from support import processes, training_process
from support.tiny_runs import SEMI, assert_same_bits


def start_workers(folder, workdir, data, steps):
    """[(process, file that it writes in the end)] of a cluster on this machine that trains."""
    with socket.socket() as first, socket.socket() as second:
        for found in (first, second):
            found.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{found.getsockname()[1]}" for found in (first, second)]
    folder.mkdir()
    settings = dataclasses.replace(SEMI, supervision="labeled", refine=False, decay_steps=0)
    started = []
    for i, output in enumerate((folder / "0.txt", folder / "1.txt")):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
        arguments = output, cluster, workdir, data, settings, "multi_worker", steps, 1
        started.append((processes.start(training_process.train_in_cluster, *arguments), output))
    return started


def ended(process, output):
    """What a process ended with."""
    process.join(timeout=300)
    assert process.exitcode == 0
    return output.read_text()


def losses(workdir):
    """{name: [value at each step]} in a workdir's TensorBoard."""
    events = event_accumulator.EventAccumulator(
        os.fspath(workdir / "tensorboard"), {"tensors": 0, "images": 1}
    )
    events.Reload()
    names = [name for name in events.Tags()["tensors"] if name.endswith(("_loss", "_penalty"))]
    return {
        name: [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(name)]
        for name in names
    }


@pytest.mark.slow
def test_two_devices_have_the_losses_of_one(tmp_path, data, trained_on_everything):
    processes.call(training_process.train, tmp_path, data, SEMI, "mirrored", 2, 2)
    alone, shared = losses(trained_on_everything.workdir), losses(tmp_path)
    assert len(alone) > 9 and alone.keys() == shared.keys()
    for name, values in shared.items():
        # In the first step, and once rounding errors have had a step to grow in.
        np.testing.assert_allclose(values[0], alone[name][0], rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(values[1], alone[name][1], rtol=1e-3, err_msg=name)


@pytest.mark.slow
def test_processes_have_equal_weights_and_resume_bit_identically_after_a_kill(tmp_path, data):
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    chief, other = start_workers(tmp_path / "0", whole, data, 2_000)

    def wait_for(step):
        while checkpoints.newest_step(whole / "checkpoints") < step:
            assert chief[0].is_alive() and other[0].is_alive()
            time.sleep(0.05)

    wait_for(2)
    # The workdir as a kill now would leave it. The run continues, to be compared with.
    shutil.copytree(whole, resumed, ignore=shutil.ignore_patterns("partial*", ".lock"))
    step = checkpoints.newest_step(resumed / "checkpoints")
    wait_for(step + 2)
    other[0].kill()
    assert ended(*chief).startswith("error: another process of the run was lost at step")

    last = checkpoints.newest_step(whole / "checkpoints")
    workers = start_workers(tmp_path / "1", resumed, data, last)
    digests = [ended(*each) for each in workers]
    assert digests[0] == digests[1] and digests[0].startswith("weights ")
    assert checkpoints.newest_step(resumed / "checkpoints") == last > step
    assert_same_bits(whole, resumed)


@pytest.mark.parametrize(
    "cluster",
    [
        None,
        "not JSON",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
    ],
)
def test_a_missing_or_damaged_cluster_is_refused(monkeypatch, cluster):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster:
        monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(UserError, match=r"TF_CONFIG .*: give {"):
        distribution.create("multi_worker")


def test_batches_that_devices_cannot_share_are_refused():
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    distribution.check_batch_size(two, batch_size=4, labeled_batch_size=0)
    with pytest.raises(UserError, match="--labeled_batch_size=3 cannot be shared by 2 devices"):
        distribution.check_batch_size(two, batch_size=4, labeled_batch_size=3)
