"""Helpers for a training step that several replicas share, each on its own device.

Together the replicas compute what one device would compute from the whole batch, up to rounding.
Random numbers are drawn for the whole batch, and each replica takes its rows. Batch norm uses the
statistics of the whole batch (see `normalization`), and gradients are averaged. On a single device
these helpers change nothing.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


def count() -> int:
    """Return how many replicas share a step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def global_count(rows: int | tf.Tensor) -> int | tf.Tensor:
    """Return the rows of the whole batch, given the rows of this replica."""
    return rows * count()


def local_rows(values: tf.Tensor) -> tf.Tensor:
    """Return this replica's rows [B, ...] of the whole batch's values [replicas · B, ...]."""
    replicas = count()
    if replicas == 1:
        return values
    parts = tf.reshape(values, [replicas, -1, *values.shape[1:]])
    return parts[tf.distribute.get_replica_context().replica_id_in_sync_group]


def apply_averaged(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[keras.Variable],
) -> None:
    """Update variables, if there are any, by the mean of all replicas' gradients.

    The optimizers of Keras apply the sum of the gradients, so they are divided first.
    """
    replicas = count()
    if replicas > 1:
        gradients = [gradient / replicas for gradient in gradients]
    if variables:
        optimizer.apply(gradients, variables)
