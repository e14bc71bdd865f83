"""Train the viewpoint estimator V of the model that comes with the package, and V alone.

    python tools/train_viewpoint_estimator.py

It is for changes of V's output, which leave the other networks as they are. V starts from its
weights, and learns from renders of procedural shapes of all categories that the model knows, from
the model's viewpoints. The same seed gives the same weights on the same machine.
"""

from absl import flags as absl_flags

from ptn_semi.utils import cli, flags

with cli.loading():
    import keras
    import numpy as np
    import tensorflow as tf
    import tqdm

    from ptn_semi.data import procedural_shapes, splits
    from ptn_semi.models import pretrained
    from ptn_semi.models.networks import Networks
    from ptn_semi.projection import framed_views, geometry, resolutions
    from ptn_semi.settings import DataSettings

FLAGS = absl_flags.FLAGS

_LEARNING_RATE = 1e-3  # at first; it falls to 0 as a cosine
_EMA_DECAY = 0.999


def train(
    networks: Networks, shapes: splits.Shapes, steps: int, batch_size: int, seed: int
) -> None:
    """Train V on renders of shapes; its weights are then their average over the last steps."""
    settings, estimator = networks.settings, networks.viewpoint_estimator
    estimator.trainable = True
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps))
    optimizer.build(estimator.trainable_variables)
    average = [tf.Variable(weight) for weight in estimator.weights]
    voxels = tf.constant(shapes.unpack_voxels(slice(None)))

    @tf.function
    def step(number: tf.Tensor) -> tf.Tensor:
        seeds = [tf.stack([seed * 3 + purpose, number]) for purpose in range(3)]
        index = tf.random.stateless_uniform([batch_size], seeds[0], 0, len(shapes), tf.int32)
        grids = tf.gather(voxels, index)
        mirrored = tf.random.stateless_uniform([batch_size, 1, 1, 1], seeds[1]) < 0.5
        grids = tf.where(mirrored, grids[..., ::-1], grids)
        viewpoints = geometry.sample_viewpoints(
            batch_size, seeds[2], settings.views, settings.camera
        )
        viewpoints = framed_views.frame(grids, viewpoints)
        masks = resolutions.render(
            networks.render_projector, grids, viewpoints, settings.image_size
        )
        with tf.GradientTape() as tape:
            loss = networks.viewpoint_bins.loss(estimator(masks, training=True), viewpoints)
        gradients = tape.gradient(loss, estimator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, estimator.trainable_variables, strict=True))
        done = tf.cast(number, tf.float32)
        decay = tf.minimum(_EMA_DECAY, (1 + done) / (10 + done))
        for mean, weight in zip(average, estimator.weights, strict=True):
            mean.assign(decay * mean + (1 - decay) * weight)
        return loss

    bar = tqdm.trange(steps, desc="training V", unit=" steps")
    for number in bar:
        loss = step(tf.constant(number))
        if number % 100 == 0:
            bar.set_postfix(viewpoint_loss=f"{float(loss):.3f}")
    for mean, weight in zip(average, estimator.weights, strict=True):
        weight.assign(mean)


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_integer("steps", 6000, "Training steps.", lower_bound=1)
    absl_flags.DEFINE_integer("batch_size", 160, "Masks per step.", lower_bound=1)
    absl_flags.DEFINE_integer("num_shapes", 20000, "Shapes to learn from, 262 kB each at 64³.", 10)
    absl_flags.DEFINE_integer("seed", 0, "Seed of the batches.", lower_bound=0)
    absl_flags.DEFINE_string("data_dir", "data", "Folder that prepared data sets are kept in.")
    absl_flags.DEFINE_string(
        "model_dir", str(pretrained.FOLDERS[32]), "Folder of the model, which is written again."
    )
    flags.keep_local("data_dir", "model_dir")


def main() -> None:
    """Parse flags, train, and write the model."""
    tf.config.experimental.enable_op_determinism()
    networks, info = pretrained.read(FLAGS.model_dir)
    data = DataSettings(
        data_dir=FLAGS.data_dir,
        num_views=2,  # voxels are all that is used
        voxel_size=info.settings.voxel_size,
        image_size=info.settings.image_size,
    )
    shapes = procedural_shapes.load(data, np.array(info.categories), FLAGS.num_shapes)
    train(networks, shapes, FLAGS.steps, FLAGS.batch_size, FLAGS.seed)
    pretrained.write(networks, info, FLAGS.model_dir)
    print(f"wrote the model to {FLAGS.model_dir}")


if __name__ == "__main__":
    cli.run(main, define_flags)
