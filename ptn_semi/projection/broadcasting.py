"""Batches that go together: both of one size, or one of them of a single example."""

import tensorflow as tf


def check_batches(first: int | None, second: int | None, names: str) -> None:
    """Check that two batches of known sizes have the same number of examples, or one of them one.

    Args:
      first, second: the sizes; None if they are not known yet.
      names: what is in the batches, for the message.

    Raises:
      ValueError: if both have several examples, and not equally many.
    """
    if first is not None and second is not None and first != second and 1 not in (first, second):
        raise ValueError(
            f"{names} must be equally many, or a single one of either, not {first} and {second}"
        )


def equal_batches(first: tf.Tensor, second: tf.Tensor, names: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Repeat the example of a batch of one for all examples of another batch.

    Gradients are summed over the copies.

    Args:
      first, second: [B, ...] and [C, ...], whose shapes are known but for the size of the batch.
        In a graph that does not know B or C, TensorFlow checks them when it runs.
      names: what is in the batches, for the message.

    Returns:
      Both with the same number of examples.

    Raises:
      ValueError: if both have several examples, and not equally many.
    """
    sizes = first.shape[0], second.shape[0]
    check_batches(*sizes, names)
    if sizes[0] == sizes[1] is not None:
        return first, second
    counts = [tf.shape(x)[0] if x.shape[0] is None else x.shape[0] for x in (first, second)]
    if 1 in sizes:
        count = counts[1 - sizes.index(1)]
    else:
        count = tf.where(tf.equal(counts[0], 1), counts[1], counts[0])
    repeat = lambda x: tf.broadcast_to(x, [count, *x.shape[1:]])
    return repeat(first), repeat(second)
