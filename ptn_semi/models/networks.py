"""The networks that reconstruct: E, G, R and V as one object."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models import architectures, mask_batches, viewpoint_bins, viewpoint_search
from ptn_semi.models.keras_defaults import keras_defaults
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.network_builders import (
    build_discriminator,
    build_encoder,
    build_generator,
    build_viewpoint_estimator,
)
from ptn_semi.models.refiner import build_refiner, logit
from ptn_semi.projection import geometry, resolutions
from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.projector import Projector

_MANY_VIEWS = 4
_TRIED, _TRIED_IN_TRAINING = 8, 4  # viewpoints of each mask; more make a training step slower
_CARVED_LOGIT = 1.0  # taken from a voxel's logit by each view that sees it outside its mask


class Prediction(NamedTuple):
    """What the networks predict of B objects, each seen in K views.

    Attributes:
      voxels: float32 [B, N, N, N] in [0, 1].
      latents: E's outputs, [B, K, latent_dim].
      viewpoints: [B, K, 2 or 7], see `geometry`, given or estimated; None if they were not given
        and there is no R.
    """

    voxels: tf.Tensor
    latents: tf.Tensor
    viewpoints: tf.Tensor | None


@keras.saving.register_keras_serializable(package="ptn_semi")
class Networks(keras.Model):
    """Encoder E, voxel generator G, viewpoint estimator V and refiner R; see `build_networks`.

    Calling it maps masks [B, S, S, 1] to voxels [B, N, N, N] in [0, 1]:

      latent = E(mask)
      voxels = G(latent)
      viewpoint = the one, among V's likeliest, from which the voxels best match the mask
      refined = R(voxels, mask, viewpoint)

    The paper has E and G alone. With R, G's voxels are 32³ at any N, and R corrects them at N³.
    With flip test-time augmentation, each network's output is averaged with that for the mirrored
    input, mirrored back. Where shapes are symmetric, voxels are averaged with their mirror image.
    `jit_compile` compiles the projections with XLA, which programs that run exports may lack.

    Attributes:
      projector: P, to masks at the resolution of G's voxels. Finer masks are averaged to it.
      render_projector: the projector that renders voxels to binary masks; see
        `resolutions.render`.
    """

    def __init__(
        self,
        settings: ModelSettings,
        encoder: keras.Model,
        generator: keras.Model,
        viewpoint_estimator: keras.Model | None = None,
        refiner: keras.Model | None = None,
        jit_compile: bool = True,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")  # of masks and voxels; the parts have their own
        super().__init__(**kwargs)
        self.settings = settings
        self.encoder, self.generator = encoder, generator
        self.viewpoint_estimator: keras.Model = viewpoint_estimator
        self.refiner: keras.Model = refiner
        self.viewpoint_bins = viewpoint_bins.Bins(settings.views, settings.camera)
        sides = (
            resolutions.coarse_side(settings.image_size, settings.generated_size),
            resolutions.fine_side(settings.image_size, settings.voxel_size),
        )
        projectors = {
            side: Projector(
                side,
                settings.camera,
                pooling=settings.pooling,
                jit_compile=jit_compile,
                name=f"projector_{side}",
            )
            for side in sides
        }
        # The same one where masks and voxels have equal sides.
        self.projector, self.render_projector = (projectors[side] for side in sides)
        self._reconstruct = tf.function(self.reconstruct, jit_compile=False, autograph=False)
        self.built = True

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The networks that there are, by name."""
        parts = {
            "encoder": self.encoder,
            "generator": self.generator,
            "viewpoint_estimator": self.viewpoint_estimator,
            "refiner": self.refiner,
        }
        return {name: network for name, network in parts.items() if network is not None}

    def call(self, masks: tf.Tensor) -> tf.Tensor:
        """Reconstruct voxels [B, N, N, N] from masks [B, S, S, 1], one view of each object."""
        return self.reconstruct(masks[:, None]).voxels

    def reconstruct(self, masks: tf.Tensor, viewpoints: tf.Tensor | None = None) -> Prediction:
        """Reconstruct objects from one view or several views of each.

        Several views are first reconstructed one by one, and their logits are averaged. The shape
        that they agree on shows from where each view was taken. R then corrects that shape by each
        view, and the logits are averaged again; many views do this twice. In the end, each view
        carves what it sees outside its mask.

        Args:
          masks: [B, K, S, S, 1] in [0, 1], K views of each object.
          viewpoints: [B, K, 2 or 7], see `geometry`, of the views; None to estimate them. Only R
            and carving use them.
        """
        count = masks.shape[1]
        by_object = lambda values: tf.reshape(values, [-1, count, *values.shape[1:]])
        masks = tf.reshape(masks, [-1, *masks.shape[2:]])  # [B·K, S, S, 1]
        if viewpoints is not None:
            viewpoints = tf.cast(viewpoints, tf.float32)
            viewpoints = tf.reshape(viewpoints, [-1, viewpoints.shape[-1]])
        latents = self.encoder(masks, training=False)
        voxels, used = self._generate(latents, masks), viewpoints
        if self.refiner is not None:
            outputs = None
            if viewpoints is None or viewpoints.shape[1] < self.settings.views.num_values:
                outputs = self._viewpoint_outputs(masks)
            voxels, used = self._refine(voxels, masks, viewpoints, outputs)
        if count > 1:
            # The shape that the views agree on.
            logits = tf.reduce_mean(by_object(logit(voxels)), axis=1)
            rounds = 2 if count >= _MANY_VIEWS else 1
            for _ in range(rounds if self.refiner is not None else 0):
                # R corrects it by each view.
                agreed = resolutions.coarse_voxels(tf.sigmoid(logits), self.settings.generated_size)
                agreed = tf.repeat(agreed, count, axis=0)
                voxels, used = self._refine(agreed, masks, viewpoints, outputs)
                logits = tf.reduce_mean(by_object(logit(voxels)), axis=1)
            if used is not None:
                # Each view carves what it sees outside its mask.
                outside = 1 - self._back_project(masks, used)
                logits -= _CARVED_LOGIT * tf.reduce_sum(by_object(outside), axis=1)
            voxels = tf.sigmoid(logits)
        return Prediction(voxels, by_object(latents), None if used is None else by_object(used))

    def _generate(self, latents: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        """Generate voxels [B, n, n, n] from the latents of masks."""
        voxels = self.generator(latents, training=False)
        if self.settings.flip_augmentation:
            flipped = self.encoder(_flip_masks(masks), training=False)
            voxels = (voxels + _flip_voxels(self.generator(flipped, training=False))) / 2
        return self._symmetric(voxels)

    def _refine(
        self,
        voxels: tf.Tensor,
        masks: tf.Tensor,
        given: tf.Tensor | None,
        outputs: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Correct voxels by R; return them and the viewpoints of the masks.

        V's outputs for the masks say what is not given of the viewpoints.
        """
        if given is None:
            viewpoints = self._search_viewpoints(outputs, masks, voxels, _TRIED)
        elif outputs is not None:
            viewpoints = self.viewpoint_bins.with_cameras(given, outputs)
        else:
            viewpoints = given
        refined = self.refiner([voxels, masks, viewpoints], training=False)
        if self.settings.flip_augmentation:
            mirrored = geometry.mirror_viewpoint(viewpoints)
            inputs = [_flip_voxels(voxels), _flip_masks(masks), mirrored]
            refined = (refined + _flip_voxels(self.refiner(inputs, training=False))) / 2
        return self._symmetric(refined), viewpoints

    def _symmetric(self, voxels: tf.Tensor) -> tf.Tensor:
        """Average the logits of voxels with their mirror image's, if shapes are symmetric."""
        if not self.settings.mirror_symmetric:
            return voxels
        logits = logit(voxels)
        return tf.sigmoid((logits + _flip_voxels(logits)) / 2)

    def _viewpoint_outputs(self, masks: tf.Tensor) -> tf.Tensor:
        """Compute V's outputs for masks; see `viewpoint_bins`."""
        outputs = self.viewpoint_estimator(masks, training=False)
        if not self.settings.flip_augmentation:
            return outputs
        flipped = self.viewpoint_estimator(_flip_masks(masks), training=False)
        return viewpoint_bins.mean_of_flipped(outputs, flipped)

    def _back_project(self, masks: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Back-project masks [B, S, S, 1] into grids [B, N, N, N]."""
        size = self.settings.voxel_size
        side = resolutions.coarse_side(self.settings.image_size, size)
        back_project = BackProjection(size, self.settings.camera, dtype="float32")
        return back_project(resolutions.coarse_masks(masks, side), viewpoints)[..., 0]

    def estimate_viewpoints(self, masks: tf.Tensor, voxels: tf.Tensor) -> tf.Tensor:
        """Estimate from where masks [B, S, S, 1] were seen, [B, 2 or 7], for training.

        V's probabilities count, and how well G's reconstructions [B, n, n, n] match the masks.
        """
        outputs = self.viewpoint_estimator(masks, training=False)
        return self._search_viewpoints(outputs, masks, voxels, _TRIED_IN_TRAINING)

    def _search_viewpoints(
        self, outputs: tf.Tensor, masks: tf.Tensor, voxels: tf.Tensor, num_tried: int
    ) -> tf.Tensor:
        return viewpoint_search.search_viewpoints(
            outputs, masks, voxels, self.projector, self.viewpoint_bins, num_tried
        )

    def predict(self, masks: np.ndarray | tf.Tensor) -> np.ndarray:
        """Predict voxels from masks, one view of each object, as calling does, but compiled.

        Args:
          masks: [B, S, S, 1] of any type, in [0, 1].

        Returns:
          The voxels, float32 [B, N, N, N] in [0, 1].

        Raises:
          ValueError: if the masks have another shape, there are none, or they hold other numbers.
        """
        masks = mask_batches.check(masks, self.settings.image_size)
        return self.predict_views(masks[:, None])[0]

    def predict_views(
        self, masks: np.ndarray | tf.Tensor, viewpoints: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Predict voxels from K views of each object, as `reconstruct` does, but compiled.

        Args:
          masks: [B, K, S, S, 1] of any type, in [0, 1].
          viewpoints: [B, K, 2 or 7], see `geometry`; None to estimate them. Networks with R
            estimate what is not given.

        Returns:
          The voxels, float32 [B, N, N, N] in [0, 1], and the viewpoints [B, K, 2 or 7], or None if
          they are unknown.

        Raises:
          ValueError: if the masks have another shape, there are none, or they hold other numbers;
            if the viewpoints have another shape.
        """
        masks = mask_batches.check_views(masks, self.settings.image_size)
        if viewpoints is not None:
            viewpoints = np.asarray(viewpoints, np.float32)
            sizes = {self.settings.views.num_values} | ({2} if self.refiner is not None else set())
            if viewpoints.shape not in [(*masks.shape[:2], size) for size in sizes]:
                allowed = " or ".join(str([*masks.shape[:2], size]) for size in sorted(sizes))
                what = "an elevation and an azimuth" if 2 in sizes else "all 7 numbers"
                raise ValueError(
                    f"viewpoints must be {allowed}, not {list(viewpoints.shape)}: pass {what} for "
                    "each mask"
                )
        # One trace serves any number of objects.
        inputs = masks, viewpoints
        specs = [None if x is None else tf.TensorSpec((None, *x.shape[1:])) for x in inputs]
        voxels, _, used = self._reconstruct.get_concrete_function(*specs)(*inputs)
        return voxels.numpy(), None if used is None else used.numpy()

    def frozen_copy(self, name: str) -> "Networks":
        """Return networks with the same layers and weights of their own, which are not trained."""
        copies = {name: keras.models.clone_model(part) for name, part in self.parts.items()}
        copy = Networks(self.settings, **copies, name=name)
        copy.trainable = False
        copy.copy_weights(self)
        return copy

    def copy_weights(self, other: "Networks") -> None:
        """Copy the weights of the parts that both have, including statistics of batch norm.

        V's output layer stays as it is if the other's viewpoints have another size, and so does R
        if its voxels have.
        """
        for weight, source in self._pairs(other):
            weight.assign(source)

    def update_average(self, other: "Networks", rate: tf.Tensor) -> None:
        """Move the weights towards those of the other's parts: w ← w + rate · (w' − w)."""
        for weight, target in self._pairs(other):
            # In this form, the average of a constant weight stays exactly equal to it.
            weight.assign_add(rate * (target - weight))

    def _pairs(self, other: "Networks") -> Iterator[tuple[keras.Variable, keras.Variable]]:
        others = other.parts
        for name, part in self.parts.items():
            if name not in others:
                continue
            if part.output_shape == others[name].output_shape:
                yield from zip(part.weights, others[name].weights, strict=True)
            elif name == "viewpoint_estimator":
                # All but the kernel and the bias of the output layer.
                kept = part.weights[:-2], others[name].weights[:-2]
                yield from zip(*kept, strict=True)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes."""
        return {"settings": self.settings.to_dict(), "precision": self.encoder.dtype_policy.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Networks":
        """Build the networks, with new weights."""
        return build_networks(ModelSettings.from_dict(config["settings"]), config["precision"])[0]


def _flip_masks(masks: tf.Tensor) -> tf.Tensor:
    return tf.reverse(masks, [2])  # the columns of [B, S, S, 1]


def _flip_voxels(voxels: tf.Tensor) -> tf.Tensor:
    return tf.reverse(voxels, [3])  # z of [B, N, N, N]


def build_networks(
    settings: ModelSettings, precision: str = "float32", jit_compile: bool = True
) -> tuple[Networks, keras.Model]:
    """Build the networks of a model, and D, which only training uses.

    D is built here too because all draw their initial weights from Keras' global seed, one after
    the other. They compute in `precision`, one of `architectures.PRECISIONS`, and keep their
    weights in float32.

    Raises:
      ValueError: if the precision is not supported.
    """
    architecture, image_size = settings.architecture, settings.image_size
    size = settings.generated_size
    if precision not in architectures.PRECISIONS:
        raise ValueError(
            f"precision must be one of {', '.join(architectures.PRECISIONS)}, not {precision!r}"
        )
    viewpoint_estimator = refiner = None
    with keras_defaults(precision):
        encoder = build_encoder(architecture, image_size)
        generator = build_generator(architecture, size)
        discriminator = build_discriminator(architecture, resolutions.coarse_side(image_size, size))
        if settings.has_viewpoint_estimator:
            num_outputs = viewpoint_bins.num_outputs(settings.views)
            viewpoint_estimator = build_viewpoint_estimator(architecture, image_size, num_outputs)
        if settings.has_refiner:
            refiner = build_refiner(
                architecture,
                size,
                settings.voxel_size,
                image_size,
                settings.camera,
                settings.views.num_values,
                jit_compile,
            )
    networks = Networks(
        settings, encoder, generator, viewpoint_estimator, refiner, jit_compile=jit_compile
    )
    return networks, discriminator
