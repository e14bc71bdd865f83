"""The model that is trained, with a training step that runs its iterations one after the other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ptn_semi.models import losses, networks, replicas, warps
from ptn_semi.models import optimizers as optimizers  # registers them, for `.keras` files
from ptn_semi.models.draws import Draws
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.voxel_metrics import AveragePrecision
from ptn_semi.projection import framed_views, resolutions

_WARPED_VIEWS = 3  # masks of each warped shape that V learns from
_VISIBLE = 0.35  # voxels of warped shapes above this probability show in their masks
_OCCUPIED = 0.5  # voxels of generated shapes above this probability are occupied

Losses = dict[str, tf.Tensor]


@keras.saving.register_keras_serializable(package="ptn_semi")
class SemiSupervisedReconstructor(keras.Model):
    """Learns to reconstruct voxels from one mask, from few labeled and many unlabeled masks.

    It holds the `Networks` that are trained (E, G, and R and V where the losses need them), their
    exponential moving average (EMA), which reconstructs at test time, and the discriminator D.
    Calling the model calls the EMA: masks [B, S, S, 1] → voxels [B, N, N, N] in [0, 1].

    `train_step` runs up to three of these iterations, which `loss_settings` selects:

      supervised: trains E, G and V on pairs of views with viewpoints and on warped shapes, and R
        on the warped shapes.
      generated: replaces supervised where there are no labels; trains E and V on warped shapes
        that G generates.
      self-reconstruction: trains E and G on masks alone, projected from the viewpoints that V
        estimates.
      adversarial: trains G and D on masks alone.

    The paper has only the pairs and the adversarial iteration. Keras' `fit` and `train_on_batch`
    run the step too; `evaluate` and `validation_data` score the EMA (see `test_step`). The batch is
    a dict of

      view_a, view_b: masks [B, S, S, 1] of two views of the same shapes.
      viewpoint_a, viewpoint_b: their viewpoints [B, 2 or 7]; see `geometry`.
      unlabeled: masks [U, S, S, 1] of any shapes.
      hull: [H, N, N, N] in [0, 1], visual hulls of labeled shapes, if `loss_settings.uses_hulls`.
      warp_strength: [H], how far these are warped, with the hulls; see `warps.random_warp`.

    All random numbers are drawn statelessly from (seed, steps), so that a restored model resumes
    bit-identically.

    Args:
      settings: the model's settings, or their `to_dict()`. The losses decide on its pooling and on
        whether it has R and V.
      loss_settings: the losses and their weights, or a dict of them.
      freeze_encoder: train all networks but E.
      ema_decay: decay of the moving average of all weights, including the statistics of batch norm;
        0 for no averaging.
      warp_strength: how far shapes that G generates are warped; see `warps.random_warp`.
      precision: compute dtype, one of `architectures.PRECISIONS`; weights stay float32.
      seed: seed of the initial weights and of all random numbers in training.

    Attributes:
      networks: the `Networks` that are trained.
      ema: the `Networks` that average their weights.
      steps: number of training steps done, an int64 variable.

    Raises:
      ValueError: if a size or a setting is not supported.
    """

    def __init__(
        self,
        settings: ModelSettings | dict[str, Any],
        loss_settings: LossSettings | dict[str, Any] | None = None,
        freeze_encoder: bool = False,
        ema_decay: float = 0.99,
        warp_strength: float = 0.25,
        precision: str = "float32",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")  # of masks and voxels; `precision` is the networks'
        super().__init__(**kwargs)
        if isinstance(settings, dict):
            settings = ModelSettings.from_dict(settings)
        if isinstance(loss_settings, dict):
            loss_settings = LossSettings(**loss_settings)
        self.loss_settings = loss_settings or LossSettings()
        self.settings = dataclasses.replace(
            settings,
            pooling=self.loss_settings.pooling,
            has_viewpoint_estimator=self.loss_settings.uses_viewpoint_estimator,
            has_refiner=self.loss_settings.uses_refiner,
        )
        self.freeze_encoder, self.ema_decay = freeze_encoder, ema_decay
        self.warp_strength, self.precision, self.seed = warp_strength, precision, seed
        keras.utils.set_random_seed(seed)
        self.networks, self.discriminator = networks.build_networks(self.settings, precision)
        self.networks.encoder.trainable = not freeze_encoder
        self.ema = self.networks.frozen_copy("ema")
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.built = True

    def call(self, masks: tf.Tensor) -> tf.Tensor:
        """Reconstruct voxels [B, N, N, N] from masks [B, S, S, 1] with the EMA."""
        return self.ema(masks)

    def compile(
        self,
        encoder_optimizer: keras.optimizers.Optimizer,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        viewpoint_optimizer: keras.optimizers.Optimizer | None = None,
        refiner_optimizer: keras.optimizers.Optimizer | None = None,
        jit_compile: bool = False,
        metrics: list[keras.metrics.Metric] | None = None,
    ) -> None:
        """Set the optimizers and build them, so that a restored run finds their state.

        V and R need theirs only in models that have them. With `jit_compile`, XLA compiles the
        training step. Leave it off on a CPU, where XLA makes transposed 3-D convolutions far
        slower. `metrics` are what `test_step` scores, by default `AveragePrecision`.

        Raises:
          ValueError: if the optimizer of a network that the model has is missing, is not an
            optimizer of Keras, or is another network's too.
        """
        trained = (
            ("encoder_optimizer", encoder_optimizer, self.networks.encoder),
            ("generator_optimizer", generator_optimizer, self.networks.generator),
            ("discriminator_optimizer", discriminator_optimizer, self.discriminator),
            ("viewpoint_optimizer", viewpoint_optimizer, self.networks.viewpoint_estimator),
            ("refiner_optimizer", refiner_optimizer, self.networks.refiner),
        )
        needed: list[tuple[str, Any, keras.Model]] = [
            each for each in trained if each[2] is not None
        ]
        for name, optimizer, network in needed:
            if optimizer is None:
                raise ValueError(f"the model has a {network.name}: give compile() a {name}")
            if not isinstance(optimizer, keras.optimizers.Optimizer):
                raise ValueError(f"{name} must be a Keras optimizer, not {optimizer!r}")
        if len({id(optimizer) for _, optimizer, _ in needed}) < len(needed):
            raise ValueError("each network needs an optimizer of its own: give compile() new ones")
        super().compile(jit_compile=jit_compile)
        self._scores = tuple(
            keras.metrics.get(metric) for metric in metrics or [AveragePrecision()]
        )
        self.encoder_optimizer = encoder_optimizer
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.viewpoint_optimizer = viewpoint_optimizer
        self.refiner_optimizer = refiner_optimizer
        for _, optimizer, network in needed:
            optimizer.build(network.trainable_variables)
        self.built_optimizers = {name: optimizer for name, optimizer, _ in needed}

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of `compile` for a `.keras` file; none if it was not called."""
        if not self.compiled:
            return {}
        arguments = {
            **self.built_optimizers,
            "metrics": self.metrics,
            "jit_compile": self.jit_compile,
        }
        return keras.saving.serialize_keras_object(arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile a model that is loaded from a `.keras` file as it was compiled before."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of `compile`, which `test_step` updates."""
        return list(self._scores) if self.compiled else []

    def test_step(self, data: Any) -> Losses:
        """Score the EMA by the metrics of `compile`; training losses need batches of their own.

        Args:
          data: masks [B, S, S, 1] in [0, 1] and the shapes' voxels [B, N, N, N], as a tuple.

        Raises:
          ValueError: if the data are something else.
        """
        masks, voxels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if isinstance(masks, Mapping) or voxels is None:
            raise ValueError("evaluation data must be a tuple (masks, voxels), or batches of them")
        predicted = self(tf.cast(masks, tf.float32))
        for metric in self.metrics:
            metric.update_state(voxels, predicted, weights)
        return self.get_metrics_result()

    def train_step(self, batch: Mapping[str, tf.Tensor] | tuple[Any, ...]) -> Losses:
        """Run one iteration of each kind that `loss_settings` selects.

        The class describes the batch. Returns scalar losses by name.

        Raises:
          ValueError: if the batch is not a dict of what the losses need, or the model is not
            compiled.
        """
        batch = self._checked(batch)
        loss_settings, draws = self.loss_settings, Draws(self.seed, self.steps)
        results: Losses = {}
        if loss_settings.supervision != "unlabeled":
            results |= self._supervised(batch, draws)
        elif loss_settings.occupancy_weight:
            results |= self._generated(tf.shape(batch["unlabeled"])[0], draws)
        if loss_settings.supervision != "labeled":
            if loss_settings.self_reconstruction_weight:
                results |= self._self_reconstruction(batch["unlabeled"])
            if loss_settings.adversarial_weight:
                results |= self._adversarial(batch["unlabeled"], draws)
        self.steps.assign_add(1)
        self._update_ema()
        return results

    def _checked(self, batch: Any) -> Mapping[str, tf.Tensor]:
        """Return a batch without the empty targets and weights that Keras adds."""
        if not self.compiled:
            raise ValueError("give the model its optimizers by compile() before it is trained")
        batch, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        needed = self.loss_settings.batch_names
        complete = isinstance(batch, Mapping) and all(name in batch for name in needed)
        if not complete or targets is not None or weights is not None:
            raise ValueError(
                f"a batch must be a dict of {', '.join(needed)}, without targets and weights"
            )
        return batch

    def _supervised(self, batch: Mapping[str, tf.Tensor], draws: Draws) -> Losses:
        """Train E and G on equations 1 to 3 and on warped hulls; then R and V by themselves.

        One forward and one backward pass serve both E and G.
        """
        loss_settings = self.loss_settings
        views = tf.concat([batch["view_a"], batch["view_b"]], axis=0)
        viewpoints = tf.concat([batch["viewpoint_a"], batch["viewpoint_b"]], axis=0)
        masks, results = views, {}
        if loss_settings.occupancy_weight:
            warped, renders, warped_viewpoints = self._warp(
                batch["hull"], batch["warp_strength"], draws
            )
            masks = tf.concat([views, renders[:, 0]], axis=0)
        pairs = tf.shape(batch["view_a"])[0]
        with tf.GradientTape() as tape:
            latents, voxels = self._encode_and_generate(masks)
            # Each slice's gradient would be padded to the whole tensor, and all of them added up.
            # A split avoids that.
            sizes = [pairs, pairs, tf.shape(masks)[0] - 2 * pairs]
            latents_a, latents_b, _ = tf.split(latents, sizes)
            voxels_a, voxels_b, warped_voxels = tf.split(voxels, sizes)
            # Equation 1 projects each view's reconstruction from the other view's viewpoint.
            crossed = tf.concat([voxels_b, voxels_a], axis=0)
            predicted = self.networks.projector([crossed, viewpoints])
            # The loss is a mean over both directions, but equation 1 is their sum.
            reconstruction = 2 * losses.reconstruction_loss(
                predicted, self._averaged(views), loss_settings.mask_loss
            )
            latent = losses.latent_invariance_loss(latents_a, latents_b)
            voxel = losses.voxel_invariance_loss(voxels_a, voxels_b)
            total = (
                loss_settings.reconstruction_weight * reconstruction
                + loss_settings.latent_invariance_weight * latent
                + loss_settings.voxel_invariance_weight * voxel
            )
            if loss_settings.occupancy_weight:
                target = resolutions.coarse_voxels(warped, self.settings.generated_size)
                occupancy = losses.occupancy_loss(warped_voxels, target)
                total += loss_settings.occupancy_weight * occupancy
                results["occupancy_loss"] = occupancy
        self._minimize_encoder_and_generator(tape, total)
        if self.networks.refiner is not None:  # only with an occupancy_weight
            results["refinement_loss"] = self._train_refiner(
                warped_voxels, renders[:, 0], warped_viewpoints[:, 0], warped
            )
        if self.networks.viewpoint_estimator is not None:
            if loss_settings.occupancy_weight:
                views = tf.concat([views, _flat(renders)], axis=0)
                viewpoints = tf.concat([viewpoints, _flat(warped_viewpoints)], axis=0)
            results["viewpoint_loss"] = self._train_viewpoint_estimator(views, viewpoints)
        return results | {
            "reconstruction_loss": reconstruction,
            "latent_invariance_loss": latent,
            "voxel_invariance_loss": voxel,
        }

    def _generated(self, count: tf.Tensor, draws: Draws) -> Losses:
        """Train E, and V if there is one, on masks of warped shapes that G generates from z."""
        z = draws.latents("generated", count, self.settings.architecture.latent_dim)
        shapes = self.ema.generator(z, training=False) > _OCCUPIED
        warped, renders, warped_viewpoints = self._warp(shapes, self.warp_strength, draws)
        with tf.GradientTape() as tape:
            latents = self.networks.encoder(renders[:, 0], training=not self.freeze_encoder)
            voxels = self.networks.generator(latents, training=False)
            # Without labels there is no R, so G's voxels have the shapes' size.
            occupancy = losses.occupancy_loss(voxels, warped)
            total = self.loss_settings.occupancy_weight * occupancy
        _minimize(tape, total, (self.encoder_optimizer, self.networks.encoder))
        results = {"occupancy_loss": occupancy}
        if self.networks.viewpoint_estimator is not None:
            results["viewpoint_loss"] = self._train_viewpoint_estimator(
                _flat(renders), _flat(warped_viewpoints)
            )
        return results

    def _self_reconstruction(self, masks: tf.Tensor) -> Losses:
        """Train E and G to reproduce unlabeled masks from the viewpoints that V estimates."""
        loss_settings = self.loss_settings
        grown = tf.cast(self.steps + 1, tf.float32) / max(
            1, loss_settings.self_reconstruction_warmup
        )
        with tf.GradientTape() as tape:
            _, voxels = self._encode_and_generate(masks)
            with tape.stop_recording():
                viewpoints = self.networks.estimate_viewpoints(masks, voxels)
            predicted = self.networks.projector([voxels, viewpoints])
            loss = losses.reconstruction_loss(
                predicted, self._averaged(masks), loss_settings.mask_loss
            )
            total = tf.minimum(1.0, grown) * loss_settings.self_reconstruction_weight * loss
        self._minimize_encoder_and_generator(tape, total)
        return {"self_reconstruction_loss": loss}

    def _adversarial(self, masks: tf.Tensor, draws: Draws) -> Losses:
        """Train G and D on the GAN losses, with the same fake masks for both."""
        loss_settings, generator = self.loss_settings, self.networks.generator
        real = self._averaged(masks)
        count = tf.shape(real)[0]
        z = draws.latents("latents", count, self.settings.architecture.latent_dim)
        viewpoints = _flat(draws.viewpoints("viewpoints", count, self.settings))
        statistics = generator.non_trainable_variables
        before = [tf.identity(v) for v in statistics]
        with tf.GradientTape(persistent=True) as tape:
            voxels = generator(z, training=True)
            viewpoints = framed_views.frame(voxels > _OCCUPIED, viewpoints)
            fake = self.networks.projector([voxels, viewpoints])
            logits = self.discriminator(tf.concat([real, fake], axis=0), training=True)
            discriminator_loss, generator_loss = losses.gan_losses(
                loss_settings.gan_loss, *tf.split(logits, 2)
            )
            penalty = losses.gradient_penalty(
                loss_settings.gradient_penalty, self.discriminator, real, draws.seed("penalty")
            )
            discriminator_total = (
                discriminator_loss + loss_settings.gradient_penalty_weight * penalty
            )
            generator_total = loss_settings.adversarial_weight * generator_loss
        _minimize(tape, discriminator_total, (self.discriminator_optimizer, self.discriminator))
        _minimize(tape, generator_total, (self.generator_optimizer, generator))
        if loss_settings.supervision == "both":
            # At test time, batch norm sees reconstructions only. Its statistics must not include
            # the fakes.
            for variable, value in zip(statistics, before, strict=True):
                variable.assign(value)
        return {
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss,
            "discriminator_accuracy": losses.discriminator_accuracy(*tf.split(logits, 2)),
            "gradient_penalty": penalty,
        }

    def _encode_and_generate(self, masks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the latents and voxels of masks, in training mode."""
        latents = self.networks.encoder(masks, training=not self.freeze_encoder)
        return latents, self.networks.generator(latents, training=True)

    def _minimize_encoder_and_generator(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        encoder = self.encoder_optimizer, self.networks.encoder
        generator = self.generator_optimizer, self.networks.generator
        _minimize(tape, loss, encoder, generator)

    def _train_refiner(
        self, voxels: tf.Tensor, masks: tf.Tensor, viewpoints: tf.Tensor, occupied: tf.Tensor
    ) -> tf.Tensor:
        """Train R on reconstructions of shapes whose true voxels are known; return its loss.

        With `refine_every` it takes only some of them. Every other mask comes with its true
        viewpoint, and the others with those that V estimates, so that R exploits a correct
        viewpoint without depending on it.
        """
        every = self.loss_settings.refine_every
        # Rows of the whole batch, so that replicas choose and alternate as one device does.
        rows = replicas.local_rows(tf.range(replicas.global_count(tf.shape(masks)[0])))
        if every > 1:
            chosen = tf.where(rows % every == 0)[:, 0]
            voxels, masks, viewpoints, occupied, rows = (
                tf.gather(values, chosen)
                for values in (voxels, masks, viewpoints, occupied, rows // every)
            )
        estimated = self.networks.estimate_viewpoints(masks, voxels)
        used = tf.where(rows[:, None] % 2 == 0, viewpoints, estimated)
        with tf.GradientTape() as tape:
            refined = self.networks.refiner([voxels, masks, used], training=True)
            loss = losses.occupancy_loss(refined, occupied)
        _minimize(tape, loss, (self.refiner_optimizer, self.networks.refiner))
        return loss

    def _train_viewpoint_estimator(self, masks: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Train V on masks whose viewpoints are known; return its loss."""
        with tf.GradientTape() as tape:
            outputs = self.networks.viewpoint_estimator(masks, training=True)
            loss = self.networks.viewpoint_bins.loss(outputs, viewpoints)
        _minimize(tape, loss, (self.viewpoint_optimizer, self.networks.viewpoint_estimator))
        return loss

    def _warp(
        self, occupied: tf.Tensor, strength: float | tf.Tensor, draws: Draws
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Warp shapes [B, N, N, N] and render their visible voxels from random viewpoints.

        Returns the warped shapes, float32 [B, N, N, N]; their binary masks, as in data sets,
        [B, views, S, S, 1]; and the viewpoints [B, views, 2 or 7].
        """
        # V needs more masks than the other networks.
        num_views = 1 if self.networks.viewpoint_estimator is None else _WARPED_VIEWS
        warped = warps.random_warp(tf.cast(occupied, tf.float32), draws.seed("warp"), strength)
        count = tf.shape(occupied)[0]
        viewpoints = _flat(draws.viewpoints("warp_viewpoints", count, self.settings, num_views))
        visible = tf.repeat(tf.cast(warped > _VISIBLE, tf.float32), num_views, axis=0)
        viewpoints = framed_views.frame(visible, viewpoints)
        masks = resolutions.render(
            self.networks.render_projector, visible, viewpoints, self.settings.image_size
        )
        by_shape = lambda values: tf.reshape(values, [-1, num_views, *values.shape[1:]])
        return warped, by_shape(masks), by_shape(viewpoints)

    def _averaged(self, masks: tf.Tensor) -> tf.Tensor:
        """Average masks to the resolution that G's voxels are projected to."""
        return resolutions.coarse_masks(masks, self.networks.projector.image_size)

    def _update_ema(self) -> None:
        if not self.ema_decay:
            self.ema.copy_weights(self.networks)
            return
        # The decay is lower in early steps, so that the EMA forgets the random initial weights.
        steps = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self.ema_decay, (1 + steps) / (10 + steps))
        self.ema.update_average(self.networks, 1 - decay)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that `from_config` takes."""
        return {
            **super().get_config(),
            "settings": self.settings.to_dict(),
            "loss_settings": dataclasses.asdict(self.loss_settings),
            "freeze_encoder": self.freeze_encoder,
            "ema_decay": self.ema_decay,
            "warp_strength": self.warp_strength,
            "precision": self.precision,
            "seed": self.seed,
        }


def _flat(values: tf.Tensor) -> tf.Tensor:
    """Join the first two axes."""
    return tf.reshape(values, [-1, *values.shape[2:]])


def _minimize(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    *trained: tuple[keras.optimizers.Optimizer, keras.Model],
) -> None:
    """Take one step of each network's optimizer; a frozen network has no variables to update."""
    variables = [network.trainable_variables for _, network in trained]
    gradients = tape.gradient(loss, variables)
    for (optimizer, _), of_network, to_update in zip(trained, gradients, variables, strict=True):
        replicas.apply_averaged(optimizer, of_network, to_update)
