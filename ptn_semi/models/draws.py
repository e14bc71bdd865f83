"""What a training step draws at random."""

from collections.abc import Sequence

import tensorflow as tf

from ptn_semi.models import replicas
from ptn_semi.projection import geometry
from ptn_semi.utils import seeds


class Draws:
    """Random numbers of one training step, drawn statelessly from (seed, step).

    A restored model therefore draws what an unbroken run would have drawn. Each purpose has a
    random stream of its own; see `utils.seeds`.

    Args:
      seed: the training's seed.
      step: number of steps done, int64 [].
    """

    def __init__(self, seed: int, step: tf.Tensor) -> None:
        self._seed, self._step = seed, tf.convert_to_tensor(step)

    def seed(self, purpose: str) -> tf.Tensor:
        """Return the stateless seed [2] for a purpose."""
        return seeds.stateless_seed(self._seed, purpose, self._step)

    def latents(self, purpose: str, count: int | tf.Tensor, latent_dim: int) -> tf.Tensor:
        """Draw z from the GAN's prior.

        Args:
          purpose: random stream of the numbers.
          count: how many latents this replica needs.
          latent_dim: length of a latent.

        Returns:
          [count, latent_dim].
        """
        shape = [replicas.total(count), latent_dim]
        return replicas.share(tf.random.stateless_normal(shape, self.seed(purpose)))

    def viewpoints(
        self,
        purpose: str,
        count: int | tf.Tensor,
        elevation_range: Sequence[float],
        azimuth_range: Sequence[float],
        num_views: int = 1,
    ) -> tf.Tensor:
        """Draw viewpoints uniformly from ranges of elevation and azimuth.

        Args:
          purpose: random stream of the numbers.
          count: for how many shapes this replica needs viewpoints.
          elevation_range: lowest and highest elevation, in degrees.
          azimuth_range: lowest and highest azimuth, in degrees.
          num_views: how many viewpoints each shape needs.

        Returns:
          [count, num_views, 2] in degrees.
        """
        total = replicas.total(count)
        drawn = geometry.sample_viewpoints(
            total * num_views, self.seed(purpose), elevation_range, azimuth_range
        )
        return replicas.share(tf.reshape(drawn, [total, num_views, 2]))
