"""Fixtures that several files here share."""

import keras
import pytest
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor

from ptn_semi.data import preparation
from ptn_semi.models import checkpoints
from support import processes, two_step_run
from support.tiny_networks import TINY


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Settings of a prepared data set."""
    settings = two_step_run.settings(tmp_path_factory.mktemp("data"))
    preparation.prepare(settings)
    return settings


@pytest.fixture(scope="session")
def trained(tmp_path_factory, data):
    """Workdir of a finished training, and how many steps on the disk it took."""
    workdir = tmp_path_factory.mktemp("run") / "whole"
    return workdir, processes.call(two_step_run.train, workdir, data)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Folder of a checkpoint whose model has not learned anything."""
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    progress = {"best": {"step": 0, "threshold": 0.35}, "extent": 0.7}
    return checkpoints.save(tmp_path_factory.mktemp("run"), model, progress, keep=set()).path
