"""The model: E, G, D, V and P with the training step that alternates its kinds of iteration."""

import dataclasses

import keras
import tensorflow as tf

from ptn_semi.models import architectures, networks, replicas, train_steps
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.projection import geometry
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera
from ptn_semi.projection.projector import Projector
from ptn_semi.utils import seeds

OPTIMIZERS = (
    "encoder_optimizer",
    "generator_optimizer",
    "discriminator_optimizer",
    "viewpoint_optimizer",
)


@keras.saving.register_keras_serializable(package="ptn_semi")
class SemiSupervisedReconstructor(keras.Model):
    """Reconstructs voxels from one mask; trained on few labeled and many unlabeled masks.

    Calling it maps masks [B, S, S, 1] to voxels [B, N, N, N] in [0, 1].

    `train_step` does up to three of these iterations, as `loss_settings` says:

      supervised: E, G and V, on pairs of views with viewpoints and on warped shapes,
      generated (in its place without labels): E and V, on warped shapes that G makes,
      self-reconstruction: E and G, on masks alone, seen from where V says,
      adversarial: G and D, on masks alone.

    The paper has the pairs and the adversarial iteration. The batch is a dict with

      view_a, view_b: masks [B, S, S, 1] of two views of the same shapes,
      viewpoint_a, viewpoint_b: their viewpoints [B, 2] in degrees,
      unlabeled: masks [U, S, S, 1] of any shapes,
      hull: bool [H, N, N, N], visual hulls of labeled shapes, where `loss_settings.uses_hulls`.

    All random numbers are drawn statelessly from (seed, steps): a restored model goes on with the
    same bits.

    Args:
      architecture: an `architectures.Architecture`.
      voxel_size, image_size: N and S.
      camera: the `Camera` of the masks.
      loss_settings: a `LossSettings`.
      freeze_encoder: train G (and D) only.
      average_decay: of the exponential moving averages of E's and G's weights, batch norm's
        statistics among them, which reconstruct at test time; 0 for the weights themselves.
      elevation_range, azimuth_range: of the viewpoints that fakes are seen from, in degrees.
      precision: that the networks compute in, one of `architectures.PRECISIONS`.
      seed: of the networks' first weights and of all that is drawn in training.
    """

    def __init__(
        self,
        architecture,
        voxel_size=32,
        image_size=32,
        camera=None,
        loss_settings=None,
        freeze_encoder=False,
        average_decay=0.99,
        elevation_range=ELEVATION_RANGE,
        azimuth_range=AZIMUTH_RANGE,
        precision="float32",
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(architecture, dict):
            architecture = architectures.Architecture(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in architecture.items()}
            )
        if isinstance(camera, dict):
            camera = Camera(**camera)
        if isinstance(loss_settings, dict):
            loss_settings = LossSettings(**loss_settings)
        self.architecture = architecture
        self.voxel_size, self.image_size = voxel_size, image_size
        self.camera = camera or Camera()
        self.loss_settings = loss_settings or LossSettings()
        self.freeze_encoder = freeze_encoder
        self.average_decay = average_decay
        self.elevation_range, self.azimuth_range = tuple(elevation_range), tuple(azimuth_range)
        self.precision, self.seed = precision, seed
        keras.utils.set_random_seed(seed)
        with networks.computing_in(precision):
            self.encoder = networks.build_encoder(architecture, image_size)
            self.generator = networks.build_generator(architecture, voxel_size)
            self.discriminator = networks.build_discriminator(architecture, image_size)
            self.viewpoint_estimator = (
                networks.build_viewpoint_estimator(architecture, image_size)
                if self.loss_settings.uses_viewpoint_estimator
                else None
            )
        self.projector = Projector(image_size, self.camera, name="projector")
        self.encoder.trainable = not freeze_encoder
        self.average_encoder = keras.models.clone_model(self.encoder)
        self.average_generator = keras.models.clone_model(self.generator)
        self.average_encoder.trainable = self.average_generator.trainable = False
        self.reset_averages()
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.built = True

    def call(self, masks, training=False):
        """Voxels [B, N, N, N] of masks [B, S, S, 1], by the averages unless `training`."""
        if training:
            return self.generator(self.encoder(masks, training=True), training=True)
        return self.average_generator(self.average_encoder(masks, training=False), training=False)

    def compile(
        self,
        encoder_optimizer,
        generator_optimizer,
        discriminator_optimizer,
        viewpoint_optimizer=None,
        jit_compile=False,
    ):
        """Sets the optimizers and builds them, so that a restored run finds their state.

        viewpoint_optimizer is V's, which only a model with self-reconstruction has.

        jit_compile stays off on a CPU: XLA makes transposed 3-D convolutions far slower there.
        """
        super().compile(jit_compile=jit_compile)
        self.encoder_optimizer = encoder_optimizer
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        encoder_optimizer.build(self.encoder.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.viewpoint_optimizer = viewpoint_optimizer
        if self.viewpoint_estimator is not None:
            viewpoint_optimizer.build(self.viewpoint_estimator.trainable_variables)

    def train_step(self, batch):
        """One iteration of each kind; returns the losses by name."""
        settings = self.loss_settings
        results = {}
        if settings.supervision != "unlabeled":
            results |= train_steps.supervised(self, batch)
        elif settings.occupancy_weight:
            results |= train_steps.generated(self, tf.shape(batch["unlabeled"])[0])
        if settings.supervision != "labeled":
            if settings.self_reconstruction_weight:
                results |= train_steps.self_reconstruction(self, batch["unlabeled"])
            if settings.adversarial_weight:
                results |= train_steps.adversarial(self, batch["unlabeled"])
        self.steps.assign_add(1)
        self._update_averages()
        return results

    def _averaged(self):
        """Pairs (average, what it is the average of)."""
        averages = self.average_encoder.weights + self.average_generator.weights
        return zip(averages, self.encoder.weights + self.generator.weights, strict=True)

    def reset_averages(self):
        """Makes the averages equal to the weights."""
        for average, weight in self._averaged():
            average.assign(weight)

    def _update_averages(self):
        if not self.average_decay:
            self.reset_averages()
            return
        # Young averages follow faster, or they would remember the random first weights.
        steps = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self.average_decay, (1 + steps) / (10 + steps))
        for average, weight in self._averaged():
            # In this form an average of what does not change stays exactly what it is.
            average.assign_add((1 - decay) * (weight - average))

    def sample_latents(self, count, purpose):
        """z of the GAN's prior, [count, latent_dim]."""
        shape = [replicas.total(count), self.architecture.latent_dim]
        return replicas.share(tf.random.stateless_normal(shape, self.stateless_seed(purpose)))

    def sample_viewpoints(self, count, purpose):
        """Viewpoints [count, 2] from the training range."""
        seed = self.stateless_seed(purpose)
        return replicas.share(
            geometry.sample_viewpoints(
                replicas.total(count), seed, self.elevation_range, self.azimuth_range
            )
        )

    def stateless_seed(self, purpose):
        """A stateless seed for one purpose in this step."""
        return seeds.stateless_seed(self.seed, purpose, tf.convert_to_tensor(self.steps))

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "architecture": dataclasses.asdict(self.architecture),
            "voxel_size": self.voxel_size,
            "image_size": self.image_size,
            "camera": self.camera.to_dict(),
            "loss_settings": dataclasses.asdict(self.loss_settings),
            "freeze_encoder": self.freeze_encoder,
            "average_decay": self.average_decay,
            "elevation_range": self.elevation_range,
            "azimuth_range": self.azimuth_range,
            "precision": self.precision,
            "seed": self.seed,
        }
