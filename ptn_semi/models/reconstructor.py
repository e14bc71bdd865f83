"""The model: E, G, R, D, V and P, with a training step that runs its iterations one by one."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ptn_semi.models import (
    architectures,
    averages,
    networks,
    refiner,
    train_steps,
    viewpoint_search,
)
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.projection import resolutions
from ptn_semi.projection.camera import AZIMUTH_RANGE, ELEVATION_RANGE, Camera
from ptn_semi.projection.projector import Projector

OPTIMIZERS = (
    "encoder_optimizer",
    "generator_optimizer",
    "discriminator_optimizer",
    "viewpoint_optimizer",
    "refiner_optimizer",
)


@keras.saving.register_keras_serializable(package="ptn_semi")
class SemiSupervisedReconstructor(keras.Model):
    """Reconstructs voxels from one mask. It trains on few labeled and many unlabeled masks.

    Calling the model maps masks [B, S, S, 1] to voxels [B, N, N, N] in [0, 1]:

      latent = E(mask)
      voxels = G(latent)
      viewpoint = a likely one by V(mask) from which the voxels fit the mask
      refined = R(voxels, mask, viewpoint)

    The paper has E and G alone, and so has a model whose `loss_settings` do not `refine`.

    With R, G generates 32³ voxels, and R corrects them at any N. G is trained, and viewpoints are
    estimated, on masks averaged to G's resolution where they are finer.

    `train_step` runs up to three of these iterations, which `loss_settings` selects:

      supervised: trains E, G, R and V on pairs of views with viewpoints and on warped shapes.
      generated: replaces supervised where there are no labels; trains E and V on warped shapes
        that G generates.
      self-reconstruction: trains E and G on masks alone, projected from the viewpoints that V
        estimates.
      adversarial: trains G and D on masks alone.

    The paper has only the pairs and the adversarial iteration. The batch is a dict of

      view_a, view_b: masks [B, S, S, 1] of two views of the same shapes.
      viewpoint_a, viewpoint_b: their viewpoints [B, 2] in degrees.
      unlabeled: masks [U, S, S, 1] of any shapes.
      hull: [H, N, N, N] in [0, 1], visual hulls of labeled shapes, if `loss_settings.uses_hulls`.
      warp_strength: [H], how far these are warped, with the hulls; see `warps.random_warp`.

    All random numbers are drawn statelessly from (seed, steps), so that a restored model resumes
    bit-identically.

    Args:
      architecture: sizes of the networks, or a dict of them.
      voxel_size: N.
      image_size: S.
      camera: the `Camera` of the masks, or its `to_dict()`.
      loss_settings: the losses and their weights, or a dict of them.
      freeze_encoder: train all networks but E.
      average_decay: decay of the exponential moving averages of the weights of E, G, R and V,
        including the statistics of batch norm. The averages reconstruct at test time; with 0 they
        equal the weights.
      mirror_answers: answer with the mean of the reconstructions of a mask and of its mirror image,
        mirrored back.
      warp_strength: how far shapes that G generates are warped; see `warps.random_warp`.
      elevation_range: lowest and highest elevation of sampled viewpoints, in degrees.
      azimuth_range: lowest and highest azimuth of sampled viewpoints, in degrees.
      precision: compute dtype, one of `architectures.PRECISIONS`; weights stay float32.
      seed: seed of the initial weights and of all random numbers in training.

    Raises:
      ValueError: a size or a setting is not one of those that there are.
    """

    def __init__(
        self,
        architecture: architectures.Architecture | dict[str, Any],
        voxel_size: int = 32,
        image_size: int = 32,
        camera: Camera | dict[str, Any] | None = None,
        loss_settings: LossSettings | dict[str, Any] | None = None,
        freeze_encoder: bool = False,
        average_decay: float = 0.99,
        mirror_answers: bool = False,
        warp_strength: float = 0.25,
        elevation_range: Sequence[float] = ELEVATION_RANGE,
        azimuth_range: Sequence[float] = AZIMUTH_RANGE,
        precision: str = "float32",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        architectures.check_sizes(voxel_size, image_size)
        if isinstance(architecture, dict):
            sizes: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in architecture.items()
            }
            architecture = architectures.Architecture(**sizes)
        if isinstance(camera, dict):
            camera = Camera(**camera)
        if isinstance(loss_settings, dict):
            loss_settings = LossSettings(**loss_settings)
        self.architecture = architecture
        self.voxel_size, self.image_size = voxel_size, image_size
        self.camera = camera or Camera()
        self.loss_settings = loss_settings or LossSettings()
        self.freeze_encoder = freeze_encoder
        self.average_decay, self.mirror_answers = average_decay, mirror_answers
        self.warp_strength = warp_strength
        self.elevation_range, self.azimuth_range = tuple(elevation_range), tuple(azimuth_range)
        self.precision, self.seed = precision, seed
        self.coarse_size = (
            architectures.REFINED_SIZE if self.loss_settings.uses_refiner else voxel_size
        )
        coarse_side = resolutions.coarse_side(image_size, self.coarse_size)
        keras.utils.set_random_seed(seed)
        with networks.computing_in(precision):
            self.encoder = networks.build_encoder(architecture, image_size)
            self.generator = networks.build_generator(architecture, self.coarse_size)
            self.discriminator = networks.build_discriminator(architecture, coarse_side)
            self.viewpoint_estimator = (
                networks.build_viewpoint_estimator(architecture, image_size)
                if self.loss_settings.uses_viewpoint_estimator
                else None
            )
            self.refiner = (
                refiner.build_refiner(
                    architecture, self.coarse_size, voxel_size, image_size, self.camera
                )
                if self.loss_settings.uses_refiner
                else None
            )
        # To the masks themselves; to those that G's voxels are compared with; to render voxels.
        sides = image_size, coarse_side, resolutions.fine_side(image_size, voxel_size)
        pooling = self.loss_settings.pooling
        projectors = {side: Projector(side, self.camera, pooling=pooling) for side in sides}
        self.projector, self.coarse_projector, self.render_projector = (
            projectors[side] for side in sides
        )
        self.encoder.trainable = not freeze_encoder
        self.average_encoder = averages.frozen_copy(self.encoder)
        self.average_generator = averages.frozen_copy(self.generator)
        self.average_refiner = self.average_viewpoint_estimator = None
        if self.refiner is not None:
            self.average_refiner = averages.frozen_copy(self.refiner)
            self.average_viewpoint_estimator = averages.frozen_copy(self.viewpoint_estimator)
        averages.reset(self)
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.built = True

    def call(self, masks: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstruct voxels.

        Args:
          masks: [B, S, S, 1] in [0, 1].
          training: use E and G themselves instead of their averages, and nothing else.

        Returns:
          float32 [B, N, N, N] in [0, 1]; in training G's, [B, n, n, n].
        """
        if training:
            return self.generator(self.encoder(masks, training=True), training=True)
        return self.reconstruct(masks)[0]

    def reconstruct(
        self, masks: tf.Tensor, projector: Projector | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reconstruct voxels with the averages of the weights.

        Args:
          masks: [B, S, S, 1] in [0, 1].
          projector: the projector to compute with; None for the model's own `coarse_projector`.

        Returns:
          The voxels, float32 [B, N, N, N] in [0, 1], and E's latents [B, latent_dim].
        """
        views = tf.concat([masks, tf.reverse(masks, [2])], axis=0) if self.mirror_answers else masks
        latents = self.average_encoder(views, training=False)
        voxels = self.average_generator(latents, training=False)
        if self.average_refiner is not None and self.average_viewpoint_estimator is not None:
            viewpoints = viewpoint_search.fitting_viewpoints(
                self.average_viewpoint_estimator(views, training=False),
                views,
                voxels,
                projector or self.coarse_projector,
                self.elevation_range,
            )
            voxels = self.average_refiner([voxels, views, viewpoints], training=False)
        if self.mirror_answers:
            answers, mirrored = tf.split(voxels, 2)
            voxels = (answers + tf.reverse(mirrored, [3])) / 2
            latents, _ = tf.split(latents, 2)
        return voxels, latents

    def compile(
        self,
        encoder_optimizer: keras.optimizers.Optimizer,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        viewpoint_optimizer: keras.optimizers.Optimizer | None = None,
        refiner_optimizer: keras.optimizers.Optimizer | None = None,
        jit_compile: bool = False,
    ) -> None:
        """Set the optimizers and build them, so that a restored run finds their state.

        Args:
          encoder_optimizer: E's.
          generator_optimizer: G's.
          discriminator_optimizer: D's.
          viewpoint_optimizer: V's, which only a model with V needs.
          refiner_optimizer: R's, which only a model with R needs.
          jit_compile: compile the training step with XLA. Leave it off on a CPU, where XLA makes
            transposed 3-D convolutions far slower.
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
            assert viewpoint_optimizer is not None
            viewpoint_optimizer.build(self.viewpoint_estimator.trainable_variables)
        self.refiner_optimizer = refiner_optimizer
        if self.refiner is not None:
            assert refiner_optimizer is not None
            refiner_optimizer.build(self.refiner.trainable_variables)

    def train_step(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Run one iteration of each kind that `loss_settings` selects.

        Args:
          batch: see the class.

        Returns:
          Scalar losses by name.
        """
        settings = self.loss_settings
        results: dict[str, tf.Tensor] = {}
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
        averages.update(self)
        return results

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        """Names of the networks whose averages reconstruct at test time."""
        names = "encoder", "generator"
        return names if self.refiner is None else (*names, "viewpoint_estimator", "refiner")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {
            **super().get_config(),
            "architecture": dataclasses.asdict(self.architecture),
            "voxel_size": self.voxel_size,
            "image_size": self.image_size,
            "camera": self.camera.to_dict(),
            "loss_settings": dataclasses.asdict(self.loss_settings),
            "freeze_encoder": self.freeze_encoder,
            "average_decay": self.average_decay,
            "mirror_answers": self.mirror_answers,
            "warp_strength": self.warp_strength,
            "elevation_range": self.elevation_range,
            "azimuth_range": self.azimuth_range,
            "precision": self.precision,
            "seed": self.seed,
        }
