"""Seeds of all that is drawn at random in a training step."""

import tensorflow as tf

# What is drawn at random in a training step, each from a stream of its own.
_PURPOSES = (
    "labeled_shape",
    "view_a",
    "view_b",
    "unlabeled_shape",
    "unlabeled_view",
    "mirrored_pair",
    "mirrored_unlabeled",
    "latents",
    "viewpoints",
    "penalty",
    "hull",
    "mirrored_hull",
    "warp",
    "warp_viewpoints",
    "generated",
)


def stateless_seed(seed, purpose, step):
    """A seed for TensorFlow's stateless ops: [2] int64, different for each of the arguments."""
    first = seed * len(_PURPOSES) + _PURPOSES.index(purpose)
    return tf.stack([tf.constant(first, tf.int64), step])
