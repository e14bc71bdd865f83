"""Settings of tiny trainings, and whether two are bit-identical."""

import dataclasses

import numpy as np
import tensorflow as tf

from ptn_semi.models import checkpoints
from ptn_semi.settings import RunSettings, TrainSettings

BOTH = TrainSettings(batch_size=4)
# Without a GAN, whose graph takes long to trace.
TRAIN = dataclasses.replace(BOTH, supervision="labeled")
# Every loss and network, and learning rates that fall to zero in the steps of RUN.
SEMI = dataclasses.replace(
    BOTH,
    occupancy_weight=30.0,
    self_reconstruction_weight=30.0,
    labeled_batch_size=2,
    correct_hulls=True,
    refine=True,
    decay_steps=4,
)

RUN = RunSettings(steps=4, evaluate_every=2)


def tensors(workdir):
    reader = tf.train.load_checkpoint(str(checkpoints.find(workdir, "last").path / "state"))
    names = sorted(set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"})
    return {name: reader.get_tensor(name) for name in names}


def assert_same_bits(a, b):
    a, b = tensors(a), tensors(b)
    assert a.keys() == b.keys()
    assert [name for name in a if not np.array_equal(a[name], b[name])] == []
