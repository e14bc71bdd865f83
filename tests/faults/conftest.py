"""Fixtures that several files here share."""

import pytest

from ptn_semi.data import preparation
from support import processes, two_step_run
from support.small_models import build, save


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
    return save(tmp_path_factory.mktemp("run"), build()).path
