"""Seeds for everything that a training step draws at random."""

import tensorflow as tf

# Each purpose has a random stream of its own. Changing this tuple changes what every run draws.
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


def stateless_seed(seed: int, purpose: str, step: tf.Tensor) -> tf.Tensor:
    """Return a seed for stateless random ops, int64 [2]: one for each seed, purpose and step.

    `seed` is the training's, `purpose` one of `_PURPOSES`, and `step` an int64 [].

    Raises:
      ValueError: if the purpose is unknown.
    """
    first = seed * len(_PURPOSES) + _PURPOSES.index(purpose)
    return tf.stack([tf.constant(first, tf.int64), step])
