"""Fixtures that several files here share."""

import pytest

from ptn_semi.models import architectures
from ptn_semi.settings import DataSettings
from ptn_semi.training import trainer
from support.tiny_networks import TINY
from support.tiny_runs import RUN, SEMI, TRAIN


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(architectures.PRESETS, "small", TINY)
        workdir = tmp_path_factory.mktemp("run") / "whole"
        trainer.train(workdir, data, TRAIN, RUN)
    return workdir


@pytest.fixture(scope="session")
def trained_on_everything(tmp_path_factory, data):
    """A finished run of four steps with every loss, and how often its functions were traced."""
    start_trainer, trainers = trainer.start_trainer, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(architectures.PRESETS, "small", TINY)
        keep = lambda *args: trainers.append(start_trainer(*args)) or trainers[-1]
        patch.setattr(trainer, "start_trainer", keep)
        workdir = tmp_path_factory.mktemp("run") / "everything"
        trainer.train(workdir, data, SEMI, RUN)
    functions = trainers[0].train_step, trainers[0].model.ema._predict
    return workdir, [function.experimental_get_tracing_count() for function in functions]
