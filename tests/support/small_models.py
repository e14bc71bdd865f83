"""Small models and batches for tests of training steps."""

import numpy as np
import tensorflow as tf

from ptn_semi.models.optimizers import FusedAdam
from ptn_semi.models.reconstructor import OPTIMIZERS, LossSettings, SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from ptn_semi.projection.projector import Projector
from support.tiny_networks import TINY

SUPERVISED = {"reconstruction_loss", "latent_invariance_loss", "voxel_invariance_loss"}
ADVERSARIAL = {
    "generator_loss",
    "discriminator_loss",
    "discriminator_accuracy",
    "gradient_penalty",
}

NETWORKS = ("encoder", "generator", "discriminator")
PROJECTOR = Projector(32, jit_compile=False)  # of all models here, so that it is traced once


def build(
    seed=0,
    freeze_encoder=False,
    learning_rate=1e-3,
    voxel_size=32,
    image_size=32,
    precision="float32",
    mirror_answers=False,
    **loss_settings,
):
    reconstructor = SemiSupervisedReconstructor(
        TINY,
        voxel_size,
        image_size,
        loss_settings=LossSettings(**loss_settings),
        freeze_encoder=freeze_encoder,
        precision=precision,
        mirror_answers=mirror_answers,
        seed=seed,
    )
    replace_projectors(reconstructor, PROJECTOR)
    reconstructor.compile(*(FusedAdam(learning_rate) for _ in OPTIMIZERS))
    return reconstructor


def replace_projectors(reconstructor, project):
    """Let `project` take the place of the projectors to masks of 32²."""

    class Projecting:
        image_size = 32
        __call__ = staticmethod(project)

    for name in ("projector", "coarse_projector", "render_projector"):
        if getattr(reconstructor, name).image_size == 32:
            setattr(reconstructor, name, Projecting())


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


def weights(network, kind="weights"):
    return [np.array(variable) for variable in getattr(network, kind)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def steps(reconstructor, count=1):
    for step in range(count):
        results = reconstructor.train_step(make_batch(seed=step))
    return results
