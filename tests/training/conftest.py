"""Fixtures that several files here share: runs of tiny networks."""

from unittest import mock

import pytest
import tensorflow as tf

from ptn_semi.models import architectures
from ptn_semi.settings import DataSettings
from ptn_semi.training import trainer
from support.tiny_networks import TINY
from support.tiny_runs import RUN, SEMI, TRAIN


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    monkeypatch.setitem(architectures.PRESETS, "small", TINY)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return DataSettings(
        data_dir=str(tmp_path_factory.mktemp("data")),
        categories=("chair", "table"),
        num_shapes=60,
        num_views=6,
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory, data):
    """A finished run of four steps."""
    workdir = tmp_path_factory.mktemp("run") / "whole"
    with mock.patch.dict(architectures.PRESETS, small=TINY):
        trainer.train(workdir, data, TRAIN, RUN)
    return workdir


@pytest.fixture(scope="session")
def trained_on_everything(tmp_path_factory, data):
    """A finished run of four steps with every loss, as its `Trainer`."""
    tf.config.experimental.enable_op_determinism()
    with mock.patch.dict(architectures.PRESETS, small=TINY):
        finished = trainer.Trainer(tmp_path_factory.mktemp("everything"), data, SEMI, RUN)
        finished.train()
    return finished
