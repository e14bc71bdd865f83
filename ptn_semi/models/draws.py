"""What a training step draws at random."""

import tensorflow as tf

from ptn_semi.models import replicas
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.projection import geometry
from ptn_semi.utils import seeds


class Draws:
    """Random numbers of one training step, drawn statelessly from (seed, step).

    A restored model therefore draws what an unbroken run would have drawn. Each purpose has a
    random stream of its own and is named in `utils.seeds`.

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
        """Draw this replica's z [count, latent_dim] from the GAN's prior."""
        shape = [replicas.global_count(count), latent_dim]
        return replicas.local_rows(tf.random.stateless_normal(shape, self.seed(purpose)))

    def viewpoints(
        self, purpose: str, count: int | tf.Tensor, settings: ModelSettings, num_views: int = 1
    ) -> tf.Tensor:
        """Draw this replica's viewpoints [count, num_views, 2 or 7], in the masks' ranges.

        They are not framed yet; see `geometry`.
        """
        total = replicas.global_count(count)
        drawn = geometry.sample_viewpoints(
            total * num_views, self.seed(purpose), settings.views, settings.camera
        )
        return replicas.local_rows(tf.reshape(drawn, [total, num_views, drawn.shape[1]]))
