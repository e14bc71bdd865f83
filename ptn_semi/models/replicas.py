"""A replica's part of a training step that several share, each on a device of its own.

Together they do what one device would do with the whole batch, to rounding: what is drawn at random
is drawn for the whole batch and each takes its rows, batch norm's statistics are of the whole batch
(`networks`), and gradients are means. On a single device all of this does nothing.
"""

import tensorflow as tf


def count():
    """How many replicas share a step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def total(rows):
    """Rows of the whole batch, of which this replica has `rows`."""
    return rows * count()


def share(values):
    """This replica's rows of values [rows of the whole batch, ...]."""
    replicas = count()
    if replicas == 1:
        return values
    parts = tf.reshape(values, [replicas, -1, *values.shape[1:]])
    return parts[tf.distribute.get_replica_context().replica_id_in_sync_group]


def apply_mean(optimizer, gradients, variables):
    """Updates variables by the mean of all replicas' gradients; Keras' optimizers take the sum."""
    replicas = count()
    if replicas > 1:
        gradients = [gradient / replicas for gradient in gradients]
    if variables:
        optimizer.apply(gradients, variables)
