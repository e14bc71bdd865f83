"""Small models and batches for tests of training steps."""

import numpy as np
import tensorflow as tf

from ptn_semi.models import checkpoints
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from support import projections
from support.tiny_networks import TINY

SUPERVISED = {"reconstruction_loss", "latent_invariance_loss", "voxel_invariance_loss"}
ADVERSARIAL = {
    "generator_loss",
    "discriminator_loss",
    "discriminator_accuracy",
    "gradient_penalty",
}
REFINING = {"supervision": "labeled", "occupancy_weight": 1.0, "refine": True}
PROJECTOR = projections.make(32)


def build(
    seed=0,
    freeze_encoder=False,
    learning_rate=1e-3,
    precision="float32",
    settings=None,
    **loss_settings,
):
    """A compiled model of tiny networks; `settings` are those of `ModelSettings`."""
    model = SemiSupervisedReconstructor(
        ModelSettings(TINY, **settings or {}),
        LossSettings(**loss_settings),
        freeze_encoder=freeze_encoder,
        precision=precision,
        seed=seed,
    )
    replace_projectors(model)
    model.compile(*(FusedAdam(learning_rate) for _ in range(5)))
    return model


class Projecting:
    """A function in the place of a projector."""

    def __init__(self, image_size, project):
        self.image_size, self.project = image_size, project

    def __call__(self, inputs):
        return self.project(inputs)


def replace_projectors(model, project=None):
    """Let `project` take the projectors' place, or projectors that are shared and not compiled."""
    for networks in (model.networks, model.ema):
        for name in ("projector", "render_projector"):
            size = getattr(networks, name).image_size
            setattr(networks, name, Projecting(size, project or projections.make(size)))


def save(folder, model, step=0, best=None):
    """Write a checkpoint of a model, as if it were of this step."""
    info = ModelInfo(model.settings, threshold=0.35, extent=0.7, categories=("chair",), step=step)
    progress = checkpoints.Progress("chairs", best=best)
    return checkpoints.save(folder, model, info, progress, keep={best.step} if best else set())


def parts(model):
    """All networks that are trained, by name."""
    return {**model.networks.parts, "discriminator": model.discriminator}


def make_batch(count=3, seed=0, image_size=32, voxel_size=32):
    def masks(name):
        shape = (count, image_size, image_size, 1)
        return tf.cast(tf.random.stateless_uniform(shape, [seed, name]) < 0.3, "float32")

    return {
        "view_a": masks(0),
        "view_b": masks(1),
        "unlabeled": masks(2),
        "hull": tf.maximum(
            tf.random.stateless_uniform((count,) + (voxel_size,) * 3, [seed, 5]) - 0.8, 0
        ),
        "warp_strength": tf.fill([count], 0.25),
        "viewpoint_a": geometry.sample_viewpoints(count, [seed, 3]),
        "viewpoint_b": geometry.sample_viewpoints(count, [seed, 4]),
    }


BATCH = make_batch()


def weights(network):
    return [np.array(weight) for weight in network.weights]


def trainable(network):
    return [np.array(weight) for weight in network.trainable_variables]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def steps(model, count=1):
    """Train for some steps; return the last step's losses."""
    for step in range(count):
        results = model.train_step(make_batch(seed=step))
    return results
