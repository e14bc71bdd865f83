"""Exponential moving averages of the weights of the networks that reconstruct at test time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

if TYPE_CHECKING:  # `reconstructor` imports this module
    from ptn_semi.models.reconstructor import SemiSupervisedReconstructor


def frozen_copy(network: keras.Model) -> keras.Model:
    """Return a network of the same layers with weights of its own, which are not trained."""
    copy = keras.models.clone_model(network)
    copy.trainable = False
    return copy


def reset(model: "SemiSupervisedReconstructor") -> None:
    """Set the averages of a model to its weights."""
    for average, weight in _averaged(model):
        average.assign(weight)


def update(model: "SemiSupervisedReconstructor") -> None:
    """Move the averages of a model towards its weights, by its `average_decay`."""
    if not model.average_decay:
        reset(model)
        return
    # The decay is lower in early steps, so that the averages forget the random initial weights.
    steps = tf.cast(model.steps, tf.float32)
    decay = tf.minimum(model.average_decay, (1 + steps) / (10 + steps))
    for average, weight in _averaged(model):
        # In this form, the average of a constant weight stays exactly equal to it.
        average.assign_add((1 - decay) * (weight - average))


def _averaged(
    model: "SemiSupervisedReconstructor",
) -> Iterator[tuple[keras.Variable, keras.Variable]]:
    """Return pairs of an average and the weight that it averages."""
    for name in model.averaged_networks:
        averages = getattr(model, f"average_{name}").weights
        yield from zip(averages, getattr(model, name).weights, strict=True)
