"""A training of two tiny steps that tests let run in processes of its own."""

from ptn_semi.models import architectures
from ptn_semi.settings import DataSettings, RunSettings
from ptn_semi.training import trainer
from support.tiny_networks import TINY
from support.tiny_runs import TRAIN

RUN = RunSettings(steps=2, evaluate_every=1)


def settings(data_dir, **changes):
    """Settings of the data set, which is built in a second or two."""
    return DataSettings(
        data_dir=str(data_dir), categories=("chair",), num_shapes=20, num_views=3, **changes
    )


def train(workdir, data, run=RUN):
    architectures.PRESETS["small"] = TINY
    trainer.train(workdir, data, TRAIN, run)
