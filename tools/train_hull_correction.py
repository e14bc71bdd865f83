"""Train the network that corrects visual hulls, and write its weights into the package.

    python tools/train_hull_correction.py

It learns from procedural shapes of all categories, whose voxels are known, and from their hulls
carved from several numbers of views. The same seed gives the same weights on the same machine.
"""

from absl import flags as absl_flags

from ptn_semi.settings import DataSettings
from ptn_semi.utils import cli, flags

FLAGS = absl_flags.FLAGS

_NUM_VIEWS = (6, 10, 16, 24)  # that the hulls are carved from
_LEARNING_RATES = {0.6: 1e-3, 0.85: 3e-4}  # each from this share of the steps on


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_integer("steps", 1000, "Training steps.", lower_bound=1)
    absl_flags.DEFINE_integer("batch_size", 16, "Hulls per step.", lower_bound=1)
    absl_flags.DEFINE_integer("num_shapes", 2000, "Shapes to learn from.", lower_bound=10)
    absl_flags.DEFINE_integer("seed", 0, "Seed of the weights and batches.", lower_bound=0)
    absl_flags.DEFINE_string("data_dir", "data", "Folder that prepared data sets are kept in.")
    absl_flags.DEFINE_string("output", "", "File of the weights; empty for the package's.")
    flags.keep_local("data_dir", "output")


def main() -> None:
    """Parse flags and train."""
    with cli.loading():
        import keras
        import numpy as np
        import tensorflow as tf
        import tqdm

        from ptn_semi.data import preparation, splits
        from ptn_semi.data.hulls import labeled_hulls
        from ptn_semi.models import hull_correction
        from ptn_semi.projection.camera import Camera
        from ptn_semi.utils import files

    tf.config.experimental.enable_op_determinism()
    builder = preparation.prepare(
        DataSettings(num_shapes=FLAGS.num_shapes, data_dir=FLAGS.data_dir)
    )
    shapes = splits.load(builder, "train", with_voxels=True)
    everything = np.arange(len(shapes))
    hulls = [
        labeled_hulls(shapes, everything, views, Camera(), shapes.voxel_size, corrected=False)
        for views in _NUM_VIEWS
    ]
    # Only now, because reading the data set draws random numbers, too.
    keras.utils.set_random_seed(FLAGS.seed)
    network = hull_correction.build()
    optimizer = keras.optimizers.Adam(2e-3)
    optimizer.build(network.trainable_variables)

    @tf.function
    def step(hull, occupied):
        with tf.GradientTape() as tape:
            logits = network(hull, training=True)
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(occupied, logits)
            loss = tf.reduce_sum(entropy * hull) / tf.reduce_sum(hull)
        optimizer.apply(tape.gradient(loss, network.trainable_variables))
        return loss

    random = np.random.default_rng(FLAGS.seed)
    bar = tqdm.trange(FLAGS.steps, desc="training", unit=" steps")
    for number in bar:
        for share, rate in _LEARNING_RATES.items():
            if number == int(share * FLAGS.steps):
                optimizer.learning_rate.assign(rate)
        index = random.integers(len(shapes), size=FLAGS.batch_size)
        hull = hulls[random.integers(len(hulls))][index] > 0
        pair = np.stack([hull, shapes.unpack_voxels(index)])[..., None].astype(np.float32)
        if random.random() < 0.5:
            pair = pair[:, :, :, :, ::-1]  # the mirrored shapes
        bar.set_postfix(loss=f"{float(step(*pair)):.3f}", refresh=False)
    output = FLAGS.output or hull_correction.WEIGHTS
    with files.replacing(output) as partial, open(partial, "wb") as file:
        np.savez(file, **{str(i): weight for i, weight in enumerate(network.get_weights())})
    print(f"wrote {output}")


if __name__ == "__main__":
    cli.run(main, define_flags)
