"""Trains tiny networks in a process of its own, whose devices and strategy a test chooses.

python training_client.py WORKDIR DATA_DIR STRATEGY STEPS DEVICES SUPERVISION

Ends by printing the digest of the weights that it holds.
"""

import hashlib
import sys

import tensorflow as tf

from ptn_semi import architectures, settings, training
from ptn_semi.errors import UserError
from tiny import TINY


def train(workdir, data_dir, strategy, steps, devices, supervision):
    """Trains; returns the weights' digest."""
    logical = [tf.config.LogicalDeviceConfiguration()] * int(devices)
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    architectures.PRESETS["small"] = TINY
    models = []
    build = training.build_model
    training.build_model = lambda *args: models.append(build(*args)) or models[-1]
    training.train(
        workdir,
        settings.DataSettings(data_dir=data_dir, categories=("chair",), num_shapes=40, num_views=4),
        settings.TrainSettings(
            supervision=supervision,
            batch_size=4,
            labeled_batch_size=2,
            occupancy_weight=30.0,
            self_reconstruction_weight=30.0,
        ),
        settings.RunSettings(steps=int(steps), evaluate_every=2, strategy=strategy),
    )
    digest = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in models[0].weights))
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        print("weights", train(*sys.argv[1:]))
    except UserError as error:
        sys.exit(f"error: {error}")
