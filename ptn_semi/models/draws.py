"""What a training step draws at random, statelessly from the model's seed and step."""

from typing import TYPE_CHECKING

import tensorflow as tf

from ptn_semi.models import replicas
from ptn_semi.projection import geometry
from ptn_semi.utils import seeds

if TYPE_CHECKING:  # it imports `train_steps`, which imports this module
    from ptn_semi.models.reconstructor import SemiSupervisedReconstructor


def seed(model: "SemiSupervisedReconstructor", purpose: str) -> tf.Tensor:
    """Return the stateless seed [2] for one purpose in the current step.

    Args:
      model: the model that is trained.
      purpose: random stream of the numbers; see `utils.seeds`.
    """
    return seeds.stateless_seed(model.seed, purpose, tf.convert_to_tensor(model.steps))


def latents(
    model: "SemiSupervisedReconstructor", count: int | tf.Tensor, purpose: str
) -> tf.Tensor:
    """Draw z from the GAN's prior.

    Args:
      model: the model that is trained.
      count: how many latents this replica needs.
      purpose: random stream of the numbers; see `utils.seeds`.

    Returns:
      [count, latent_dim].
    """
    shape = [replicas.total(count), model.architecture.latent_dim]
    return replicas.share(tf.random.stateless_normal(shape, seed(model, purpose)))


def viewpoints(
    model: "SemiSupervisedReconstructor",
    count: int | tf.Tensor,
    purpose: str,
    num_views: int = 1,
) -> tf.Tensor:
    """Draw viewpoints uniformly from the model's ranges of elevation and azimuth.

    Args:
      model: the model that is trained.
      count: for how many shapes this replica needs viewpoints.
      purpose: random stream of the numbers; see `utils.seeds`.
      num_views: how many viewpoints each shape needs.

    Returns:
      [count, num_views, 2] in degrees.
    """
    total = replicas.total(count)
    drawn = geometry.sample_viewpoints(
        total * num_views, seed(model, purpose), model.elevation_range, model.azimuth_range
    )
    return replicas.share(tf.reshape(drawn, [total, num_views, 2]))
