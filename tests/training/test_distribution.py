"""Steps that several devices or processes share: as on one device, and killed ones go on."""

import os
import shutil
import socket
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from ptn_semi import settings
from ptn_semi.models import checkpoints
from ptn_semi.training import distribution, trainer
from ptn_semi.utils.errors import UserError
from support import processes, training_process
from support.tiny_runs import assert_same_bits

WORKERS = 2


def start_workers(folder, workdir, data_dir, steps):
    """[(process, file that it writes in the end)] of a cluster on this machine that trains."""
    with socket.socket() as first, socket.socket() as second:
        for found in (first, second):
            found.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{found.getsockname()[1]}" for found in (first, second)]
    folder.mkdir()
    started = []
    for i in range(WORKERS):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
        process = processes.start(
            training_process.train_in_cluster,
            folder / f"{i}.txt",
            cluster,
            workdir,
            data_dir,
            "multi_worker",
            steps,
            1,
            "labeled",
        )
        started.append((process, folder / f"{i}.txt"))
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
def test_two_devices_have_the_losses_of_one(tmp_path):
    for strategy in ("single", "mirrored"):
        processes.call(
            training_process.train, tmp_path / strategy, tmp_path / "data", strategy, 4, 2, "both"
        )
    alone, shared = losses(tmp_path / "single"), losses(tmp_path / "mirrored")
    assert len(alone) == 9 and all(len(values) == 4 for values in alone.values())
    for name, values in alone.items():
        # Before rounding has had a step to grow in, and after.
        np.testing.assert_allclose(shared[name][0], values[0], rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(shared[name], values, rtol=1e-3, err_msg=name)


@pytest.mark.slow
def test_processes_hold_equal_weights_and_a_killed_one_costs_only_what_no_checkpoint_has(tmp_path):
    data_dir, whole, went_on = tmp_path / "data", tmp_path / "whole", tmp_path / "went_on"
    chief, other = start_workers(tmp_path / "0", whole, data_dir, 100_000)

    def wait_for(step):
        while checkpoints.newest_step(whole / "checkpoints") < step:
            assert chief[0].is_alive() and other[0].is_alive()
            time.sleep(0.05)

    wait_for(2)
    # The workdir as a kill now would leave it. The run goes on, to be what it is held against.
    shutil.copytree(whole, went_on, ignore=shutil.ignore_patterns("partial*", ".lock"))
    step = checkpoints.newest_step(went_on / "checkpoints")
    wait_for(step + 2)
    other[0].kill()
    assert ended(*chief).startswith("error: another process of the run was lost at step")

    last = checkpoints.newest_step(whole / "checkpoints")
    workers = start_workers(tmp_path / "1", went_on, data_dir, last)
    digests = [ended(*each) for each in workers]
    assert digests[0] == digests[1] and digests[0].startswith("weights ")
    assert checkpoints.newest_step(went_on / "checkpoints") == last > step
    assert_same_bits(whole, went_on)


def test_the_chief_is_the_first_process(monkeypatch):
    def of(tasks, task_type, task_id):
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(tasks), task_type=task_type, task_id=task_id
        )
        return distribution.is_chief(types.SimpleNamespace(cluster_resolver=resolver))

    workers = {"worker": ["a:1", "b:1"]}
    assert of(workers, "worker", 0) and not of(workers, "worker", 1)
    with_chief = workers | {"chief": ["c:1"]}
    assert of(with_chief, "chief", 0) and not of(with_chief, "worker", 0)
    assert distribution.is_chief(tf.distribute.get_strategy())


@pytest.mark.parametrize(
    "cluster",
    [
        None,
        "not JSON",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
    ],
)
def test_a_cluster_that_is_not_described_is_an_error(monkeypatch, cluster):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if cluster:
        monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(UserError, match=r"TF_CONFIG.* (as|write) {"):
        distribution.create("multi_worker")


def test_batches_that_devices_cannot_share_are_refused():
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    distribution.check_batch_size(two, batch_size=4, labeled_batch_size=0)
    with pytest.raises(UserError, match="--labeled_batch_size=3 cannot be shared by 2 devices"):
        distribution.check_batch_size(two, batch_size=4, labeled_batch_size=3)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"strategy": "mirrored", "jit_compile": "on"}, "cannot use --jit_compile=on"),
        ({"strategy": "multi_worker", "max_minutes": 1.0}, "cannot use --max_minutes"),
    ],
)
def test_settings_that_cannot_be_shared_are_refused(tmp_path, run, said):
    with pytest.raises(UserError, match=said):
        trainer.train(
            tmp_path, settings.DataSettings(), settings.TrainSettings(), settings.RunSettings(**run)
        )
