"""Distribution of training steps over devices and machines, with TensorFlow's strategies."""

import functools
import json
import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from ptn_semi.models import replicas
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.utils import errors
from ptn_semi.utils.errors import UserError

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:port", "host1:port"]}, "task": {"type": "worker", "index": 0}}'
)
# Errors that a step raises if another process of the run is gone.
_LOST_PEER = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.FailedPreconditionError,
)


# Cached, because a second strategy in a process would number its all-reduces as the first did.
@functools.cache
def create(name: str) -> tf.distribute.Strategy:
    """Create a distribution strategy. Call this before TensorFlow computes anything.

    Args:
      name: one of `settings.STRATEGIES`. "single" is one device. "mirrored" is all GPUs of this
        machine, or all logical CPU devices if it has no GPU. "multi_worker" adds the devices of the
        other machines in the environment variable TF_CONFIG, and waits for those machines.

    Raises:
      UserError: if TF_CONFIG does not describe a cluster, or a machine does not answer.
    """
    if name == "single":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        task = config["task"]
        config["cluster"][task["type"]][task["index"]]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(
            f"--strategy=multi_worker needs an environment variable TF_CONFIG that names a task of "
            f"a cluster: give {_EXAMPLE} in place of {text!r}"
        ) from error
    print("waiting for the other processes in TF_CONFIG", flush=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"the workers in TF_CONFIG could not connect ({errors.first_line(error)}): start the "
            "same command on all of them, and check that each can reach the others' addresses"
        ) from error


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one that writes the files of a run."""
    return strategy.extended.should_checkpoint


def check_batch_size(strategy: tf.distribute.Strategy, **batch_sizes: int) -> None:
    """Check that replicas can share batches, whose sizes are named as their flags, evenly.

    Raises:
      UserError: if a size is not a multiple of the number of replicas.
    """
    count = strategy.num_replicas_in_sync
    for name, size in batch_sizes.items():
        if size % count:
            raise UserError(
                f"--{name}={size} cannot be shared by {count} devices: give a multiple of {count}"
            )


def check_equal(strategy: tf.distribute.Strategy, value: int, what: str) -> None:
    """Check that a number is the same on all replicas.

    Raises:
      UserError: if it is not, in every process; the numbers are appended to the message `what`.
    """
    if strategy.num_replicas_in_sync == 1:
        return
    own = tf.constant(value)

    @tf.function
    def gather() -> tf.Tensor:
        everyones = lambda: tf.distribute.get_replica_context().all_gather(own[None], axis=0)
        return strategy.experimental_local_results(strategy.run(everyones))[0]

    values = np.unique(gather())
    if len(values) > 1:
        raise UserError(f"{what}: {', '.join(str(value) for value in values)}")


def compile_step(
    strategy: tf.distribute.Strategy, model: SemiSupervisedReconstructor, jit_compile: bool
) -> Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """Compile the model's training step, which the replicas of the strategy share.

    Returns:
      A function that trains on a whole batch, as from `batches.batch_dataset`. It returns scalar
      losses by name, each the mean over the whole batch.
    """

    def of_replica(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return model.train_step({name: replicas.local_rows(rows) for name, rows in batch.items()})

    # Nothing in a step branches on a tensor, so autograph would only make it slower to trace.
    @tf.function(jit_compile=jit_compile, autograph=False)
    def step(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        losses = strategy.run(of_replica, args=(batch,))
        return {name: strategy.reduce("MEAN", loss, axis=None) for name, loss in losses.items()}

    return step


def lost_peer(strategy: tf.distribute.Strategy, error: Exception) -> bool:
    """Return whether an error of a step means that another process of the strategy is gone."""
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return several and isinstance(error, _LOST_PEER)
