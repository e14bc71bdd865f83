"""Runs that resume bit-identically, and past damaged checkpoints."""

import contextlib
import dataclasses
import json
import shutil

import numpy as np
import pytest

from ptn_semi.data import preparation, splits
from ptn_semi.models import checkpoints
from ptn_semi.settings import RunSettings
from ptn_semi.training import trainer
from ptn_semi.utils.errors import UserError
from support.small_models import build, save
from support.tiny_runs import RUN, SEMI, TRAIN, assert_same_bits, tensors


@pytest.mark.slow
def test_interrupted_and_lengthened_run_is_bit_identical(
    trained, data, tmp_path, monkeypatch, capsys
):
    batch_dataset = trainer.batches.batch_dataset

    def interrupting(*args, **kwargs):
        yield next(iter(batch_dataset(*args, **kwargs)))
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer.batches, "batch_dataset", interrupting)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(tmp_path, data, TRAIN, RunSettings(steps=2, evaluate_every=2))
    assert checkpoints.find(tmp_path, "last").info.step == 1
    monkeypatch.setattr(trainer.batches, "batch_dataset", batch_dataset)
    # From masks that stay on disk.
    builder = preparation.prepare(data)
    for name in ("written", "found"):
        assert isinstance(splits.load(builder, "train", max_memory=0).masks, np.memmap)
        assert ("laying out masks" in capsys.readouterr().err) == (name == "written")
    trainer.train(tmp_path, data, TRAIN, dataclasses.replace(RUN, max_masks_gb=0))
    assert_same_bits(trained, tmp_path)


FILES = "checkpoint.json", "state.index", "state.data-00000-of-00001"


DAMAGE = {
    "flipped first": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "flipped inside": lambda content: content[:99] + bytes([content[99] ^ 16]) + content[100:],
    "flipped last": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}


# Every kind of damage once, and every file.
@pytest.mark.parametrize(("place", "damage"), enumerate(DAMAGE))
def test_damaged_checkpoint_is_passed_over(trained, tmp_path, capsys, place, damage):
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    path = copy / "checkpoints" / "step_00000004" / FILES[place % 3]
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert checkpoints.find(copy, "last").info.step == 2
    assert "step_00000004 is damaged; the checkpoint before it is used" in capsys.readouterr().out
    with pytest.raises(UserError, match="step_00000004"):
        checkpoints.find(path.parent)


def test_every_flipped_bit_of_the_metadata_is_noticed(trained, tmp_path):
    path = shutil.copytree(trained / "checkpoints" / "step_00000004", tmp_path / "step_00000004")
    metadata = (path / "checkpoint.json").read_bytes()
    whole = checkpoints.read(path)
    for place in range(0, len(metadata), 7):
        flipped = bytearray(metadata)
        flipped[place] ^= 1 << place % 8
        (path / "checkpoint.json").write_bytes(flipped)
        # White space between values may change, and the name of the digest itself.
        with contextlib.suppress(UserError):
            assert checkpoints.read(path) == whole


@pytest.mark.slow
def test_a_run_with_every_loss_resumes_from_the_checkpoint_before_a_damaged_one(
    trained_on_everything, data, tmp_path
):
    whole, model = trained_on_everything.workdir, trained_on_everything.model
    for function in (trained_on_everything.train_step, model.ema._reconstruct):
        assert function.experimental_get_tracing_count() == 1
    names = tensors(whole)
    for part in ("viewpoint_optimizer", "refiner_optimizer", "discriminator_optimizer"):
        assert any(part in name for name in names)
    shutil.copytree(whole, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "step_00000004" / FILES[2]
    path.write_bytes(DAMAGE["cut"](path.read_bytes()))
    trainer.train(tmp_path / "run", data, SEMI, RUN)
    assert_same_bits(whole, tmp_path / "run")


def test_a_damaged_best_checkpoint_is_not_replaced_silently(tmp_path):
    model = build()
    best = checkpoints.Best(step=0, average_precision=0.5, threshold=0.4)
    for step in range(2):
        save(tmp_path / "checkpoints", model, step, best)
    assert checkpoints.find(tmp_path).info.step == 0
    shutil.rmtree(tmp_path / "checkpoints" / "step_00000000")
    with pytest.raises(UserError, match=r"of step 0, is missing or damaged: .*step_00000001"):
        checkpoints.find(tmp_path)
    assert checkpoints.find(tmp_path, "last").info.step == 1


def test_a_checkpoint_of_an_earlier_version_is_refused(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "step_00000004" / "checkpoint.json"
    metadata = json.loads(path.read_text())
    metadata["model"] = metadata.pop("info")
    del metadata["digest"]
    metadata["digest"] = checkpoints._digest(metadata)
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match=r"of an earlier version of ptn_semi: .* train again"):
        checkpoints.latest(tmp_path / "run" / "checkpoints")


@pytest.mark.parametrize("name", FILES)
def test_a_best_checkpoint_that_is_damaged_is_refused(tmp_path, name):
    model = build()
    best = checkpoints.Best(step=0, average_precision=0.5, threshold=0.4)
    for step in range(2):
        save(tmp_path / "checkpoints", model, step, best)
    path = tmp_path / "checkpoints" / "step_00000000" / name
    path.write_bytes(DAMAGE["flipped last"](path.read_bytes()))
    with pytest.raises(UserError, match=r"of step 0, is missing or damaged: .*step_00000001"):
        checkpoints.find(tmp_path)
