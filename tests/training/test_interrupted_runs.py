"""Trainings that are interrupted, at any moment and more than once."""

import signal

import pytest

from ptn_semi.models import checkpoints
from ptn_semi.training import trainer
from support.tiny_runs import RUN, TRAIN, assert_same_bits


@pytest.fixture
def default_handler():
    """Ctrl-C as usual, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("default_handler")
def test_ctrl_c_after_a_step_and_again_while_it_is_saved(
    trained, data, tmp_path, monkeypatch, capsys
):
    take_step, state = trainer.Trainer._take_step, checkpoints._training_state

    def interrupted_before_it_is_counted(self, batch):
        take_step(self, batch)
        raise KeyboardInterrupt

    def interrupted_again(model):
        signal.raise_signal(signal.SIGINT)
        return state(model)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "_take_step", interrupted_before_it_is_counted)
        patch.setattr(checkpoints, "_training_state", interrupted_again)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(tmp_path, data, TRAIN, RUN)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    assert checkpoints.find(tmp_path, "last").info.step == 1
    assert "stopped at step 1: run the same command again to resume" in capsys.readouterr().out
    trainer.train(tmp_path, data, TRAIN, RUN)
    assert_same_bits(trained, tmp_path)
