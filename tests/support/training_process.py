"""Trains tiny networks in a process of its own, whose devices and strategy a test chooses."""

import hashlib
import json
import os

import tensorflow as tf

from ptn_semi import settings
from ptn_semi.models import architectures
from ptn_semi.training import start, trainer
from ptn_semi.utils.errors import UserError
from support.tiny_networks import TINY


def train(workdir, data_dir, strategy, steps, devices, supervision):
    """Trains; returns the weights' digest."""
    logical = [tf.config.LogicalDeviceConfiguration()] * int(devices)
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    architectures.PRESETS["small"] = TINY
    models = []
    build = start.build_model
    start.build_model = lambda *args, **kwargs: models.append(build(*args, **kwargs)) or models[-1]
    trainer.train(
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


def train_in_cluster(output, cluster, *args):
    """Trains as the process that TF_CONFIG, a dict, says.

    Writes the weights' digest, or the error in a sentence, into the file `output`.
    """
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    try:
        text = f"weights {train(*args)}"
    except UserError as error:
        text = f"error: {error}"
    output.write_text(text)
