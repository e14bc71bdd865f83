"""Trains tiny networks in a process of its own, whose devices and strategy a test chooses."""

import hashlib
import json
import os

import tensorflow as tf

from ptn_semi.models import architectures
from ptn_semi.settings import RunSettings
from ptn_semi.training import trainer
from ptn_semi.utils.errors import UserError
from support.tiny_networks import TINY


def train(workdir, data, settings, strategy, steps, devices):
    """Trains; returns the weights' digest."""
    logical = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    tf.config.experimental.enable_op_determinism()
    architectures.PRESETS["small"] = TINY
    run = RunSettings(steps=steps, evaluate_every=2, strategy=strategy)
    trained = trainer.Trainer(workdir, data, settings, run)
    trained.train()
    weights = b"".join(weight.numpy().tobytes() for weight in trained.model.weights)
    return hashlib.sha256(weights).hexdigest()


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
