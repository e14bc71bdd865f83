"""Devices and machines that share a training step: TensorFlow's distribution strategies."""

import functools
import json
import os

import numpy as np
import tensorflow as tf

from ptn_semi.models import replicas
from ptn_semi.utils import errors
from ptn_semi.utils.errors import UserError

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:port", "host1:port"]}, "task": {"type": "worker", "index": 0}}'
)
# What a step ends with where a process that shares it is gone.
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.FailedPreconditionError,
)


@functools.cache  # a second one in a process would number its all-reduces as the first did
def create(name):
    """The `tf.distribute.Strategy` of one of `settings.STRATEGIES`.

    single is one device; mirrored all GPUs of this machine (all logical CPU devices without any);
    multi_worker also those of the other machines in the environment variable TF_CONFIG, which it
    waits for. It must come before anything that TensorFlow computes.

    Raises:
      UserError: TF_CONFIG is missing or does not describe a cluster, or the others do not come.
    """
    if name == "single":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    _check_cluster(os.environ.get("TF_CONFIG"))
    print("waiting for the other processes of TF_CONFIG", flush=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"the workers of TF_CONFIG did not come together ({errors.first_line(error)}): start "
            "the same command on all of them, and see that each can reach the others' addresses"
        ) from error


def _check_cluster(text):
    if not text:
        raise UserError(f"--strategy=multi_worker needs the variable TF_CONFIG, as {_EXAMPLE}")
    try:
        config = json.loads(text)
        task = config["task"]
        config["cluster"][task["type"]][task["index"]]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"TF_CONFIG={text} names no task of a cluster: write {_EXAMPLE}") from error


def is_chief(strategy):
    """Whether this process writes what the processes of a strategy have in common."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return not has_chief and (resolver.task_type, resolver.task_id) == ("worker", 0)


def check_batch_size(strategy, **batch_sizes):
    """Raises a `UserError` for a batch, by its flag's name, that replicas cannot share evenly."""
    count = strategy.num_replicas_in_sync
    for name, size in batch_sizes.items():
        if size % count:
            raise UserError(
                f"--{name}={size} cannot be shared by {count} devices: give a multiple of {count}"
            )


def check_equal(strategy, value, what):
    """Raises a `UserError` on all replicas if a number is not the same on all of them."""

    @tf.function
    def gather():
        everyones = lambda: tf.distribute.get_replica_context().all_gather(value[None], axis=0)
        return strategy.experimental_local_results(strategy.run(everyones))[0]

    if strategy.num_replicas_in_sync > 1:
        value = tf.constant(value)
        values = np.unique(gather())
        if len(values) > 1:
            raise UserError(f"{what}: {', '.join(str(value) for value in values)}")


def compile_step(strategy, model, jit_compile):
    """The model's training step, shared by the strategy's replicas.

    Returns:
      A function of a whole batch (`batches.batch_dataset`) that returns the losses by name, means
      over the whole batch.
    """

    def of_replica(batch):
        return model.train_step({name: replicas.share(rows) for name, rows in batch.items()})

    # Nothing in a step branches on a tensor, so autograph would only make it slower to trace.
    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(batch):
        losses = strategy.run(of_replica, args=(batch,))
        return {name: strategy.reduce("MEAN", loss, axis=None) for name, loss in losses.items()}

    return step


def lost_peer(strategy, error):
    """Whether an error of a step means that another process of the strategy is gone."""
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return several and isinstance(error, _LOST)
