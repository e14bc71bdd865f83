"""The model: E, G, D and P with the training step that alternates the two kinds of iteration."""

import dataclasses

import keras
import tensorflow as tf

from ptn_semi import geometry, losses, networks
from ptn_semi.projector import Projector
from ptn_semi.seeds import stateless_seed

SUPERVISIONS = ("labeled", "unlabeled", "both")
OPTIMIZERS = ("encoder_optimizer", "generator_optimizer", "discriminator_optimizer")


@dataclasses.dataclass(frozen=True)
class LossSettings:
    """What the training step minimises.

    Weights default to the authors', but for the latent invariance: theirs is 1, at which E may map
    all masks to one latent.
    """

    supervision: str = "both"
    reconstruction_weight: float = 10.0
    latent_invariance_weight: float = 0.1
    voxel_invariance_weight: float = 1.0
    adversarial_weight: float = 1.0
    gradient_penalty_weight: float = 10.0
    gan_loss: str = "non_saturating"
    gradient_penalty: str = "dragan"

    def __post_init__(self):
        if self.supervision not in SUPERVISIONS:
            raise ValueError(f"supervision is one of {SUPERVISIONS}, not {self.supervision!r}")


@keras.saving.register_keras_serializable(package="ptn_semi")
class SemiSupervisedReconstructor(keras.Model):
    """Reconstructs voxels from one mask; trained on few labeled and many unlabeled masks.

    Calling it maps masks [B, S, S, 1] to voxels [B, N, N, N] in [0, 1].

    `train_step` does one supervised iteration (E and G, on pairs of views with viewpoints) and one
    adversarial iteration (G and D, on masks alone), or just one of the two, as
    `loss_settings.supervision` says. Its batch is a dict with

      view_a, view_b: masks [B, S, S, 1] of two views of the same shapes,
      viewpoint_a, viewpoint_b: their viewpoints [B, 2] in degrees,
      unlabeled: masks [B, S, S, 1] of any shapes.

    All random numbers are drawn statelessly from (seed, steps): a restored model goes on with the
    same bits.

    Args:
      architecture: a `networks.Architecture`.
      voxel_size, image_size: N and S.
      camera: the `geometry.Camera` of the masks.
      loss_settings: a `LossSettings`.
      freeze_encoder: train G (and D) only.
      average_decay: of the exponential moving averages of E's and G's weights, batch norm's
        statistics among them, which reconstruct at test time; 0 for the weights themselves.
      elevation_range, azimuth_range: of the viewpoints that fakes are seen from, in degrees.
      precision: that the networks compute in, one of `networks.PRECISIONS`.
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
        elevation_range=geometry.ELEVATION_RANGE,
        azimuth_range=geometry.AZIMUTH_RANGE,
        precision="float32",
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(architecture, dict):
            architecture = networks.Architecture(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in architecture.items()}
            )
        if isinstance(camera, dict):
            camera = geometry.Camera(**camera)
        if isinstance(loss_settings, dict):
            loss_settings = LossSettings(**loss_settings)
        self.architecture = architecture
        self.voxel_size, self.image_size = voxel_size, image_size
        self.camera = camera or geometry.Camera()
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
        self, encoder_optimizer, generator_optimizer, discriminator_optimizer, jit_compile=False
    ):
        """Sets the three optimizers and builds them, so that a restored run finds their state.

        jit_compile stays off on a CPU: XLA makes transposed 3-D convolutions far slower there.
        """
        super().compile(jit_compile=jit_compile)
        self.encoder_optimizer = encoder_optimizer
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        encoder_optimizer.build(self.encoder.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, batch):
        """One pair of iterations; returns the losses by name."""
        results = {}
        if self.loss_settings.supervision != "unlabeled":
            results |= self._supervised_iteration(batch)
        if self.loss_settings.supervision != "labeled":
            results |= self._adversarial_iteration(batch["unlabeled"])
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

    def _supervised_iteration(self, batch):
        """Equations 1 to 3; one forward and one backward pass serve E and G."""
        weights = self.loss_settings
        views = tf.concat([batch["view_a"], batch["view_b"]], axis=0)
        viewpoints = tf.concat([batch["viewpoint_a"], batch["viewpoint_b"]], axis=0)
        with tf.GradientTape() as tape:
            latents = self.encoder(views, training=not self.freeze_encoder)
            voxels = self.generator(latents, training=True)
            latent_a, latent_b = tf.split(latents, 2)
            voxels_a, voxels_b = tf.split(voxels, 2)
            # Each view's shape is looked at from the other view's viewpoint.
            crossed = tf.concat([voxels_b, voxels_a], axis=0)
            predicted = self.projector([crossed, viewpoints])
            # The mean over both directions; equation 1 has their sum.
            reconstruction = 2 * losses.reconstruction_loss(predicted, views)
            latent = losses.latent_invariance_loss(latent_a, latent_b)
            voxel = losses.voxel_invariance_loss(voxels_a, voxels_b)
            total = (
                weights.reconstruction_weight * reconstruction
                + weights.latent_invariance_weight * latent
                + weights.voxel_invariance_weight * voxel
            )
        encoder_variables = self.encoder.trainable_variables
        variables = encoder_variables + self.generator.trainable_variables
        gradients = tape.gradient(total, variables)
        count = len(encoder_variables)
        if encoder_variables:
            self.encoder_optimizer.apply(gradients[:count], encoder_variables)
        self.generator_optimizer.apply(gradients[count:], self.generator.trainable_variables)
        return {
            "reconstruction_loss": reconstruction,
            "latent_invariance_loss": latent,
            "voxel_invariance_loss": voxel,
        }

    def _adversarial_iteration(self, real):
        """The GAN losses; the same fakes serve G and D."""
        settings = self.loss_settings
        count = tf.shape(real)[0]
        latents = tf.random.stateless_normal(
            [count, self.architecture.latent_dim], self._seed("latents")
        )
        viewpoints = geometry.sample_viewpoints(
            count, self._seed("viewpoints"), self.elevation_range, self.azimuth_range
        )
        statistics = self.generator.non_trainable_variables
        before = [tf.identity(v) for v in statistics]
        with tf.GradientTape(persistent=True) as tape:
            fake = self.projector([self.generator(latents, training=True), viewpoints])
            logits = self.discriminator(tf.concat([real, fake], axis=0), training=True)
            discriminator_loss, generator_loss = losses.gan_losses(
                settings.gan_loss, *tf.split(logits, 2)
            )
            penalty = losses.gradient_penalty(
                settings.gradient_penalty, self.discriminator, real, self._seed("penalty")
            )
            discriminator_total = discriminator_loss + settings.gradient_penalty_weight * penalty
            generator_total = settings.adversarial_weight * generator_loss
        discriminator_variables = self.discriminator.trainable_variables
        generator_variables = self.generator.trainable_variables
        discriminator_gradients = tape.gradient(discriminator_total, discriminator_variables)
        generator_gradients = tape.gradient(generator_total, generator_variables)
        del tape
        self.discriminator_optimizer.apply(discriminator_gradients, discriminator_variables)
        if settings.adversarial_weight:  # Adam moves even where the gradient is 0
            self.generator_optimizer.apply(generator_gradients, generator_variables)
        if settings.supervision == "both":
            # Batch norm at test time is to know reconstructions only: drop what fakes added.
            for variable, value in zip(statistics, before, strict=True):
                variable.assign(value)
        return {
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss,
            "gradient_penalty": penalty,
        }

    def _seed(self, purpose):
        """A stateless seed for one purpose in this step."""
        return stateless_seed(self.seed, purpose, tf.convert_to_tensor(self.steps))

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
