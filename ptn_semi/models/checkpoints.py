"""Checkpoints of a training run, which are written atomically and checked when they are read.

A checkpoint is a folder, such as `step_00001000`, with TensorFlow's own checkpoint files and
`checkpoint.json`. That file holds what is known of the model, the state of the training loop, the
SHA-256 of every file and one of all these entries. The folder is written under another name and
then renamed, so that it is complete. Reading a checkpoint never executes code.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models import networks
from ptn_semi.models.checkpoint_paths import FOLDER, METADATA
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.networks import Networks
from ptn_semi.models.semi_supervised import SemiSupervisedReconstructor
from ptn_semi.utils import errors, files
from ptn_semi.utils.errors import UserError

_STATE = "state.index"  # the one of TensorFlow's own files whose name is always the same
_FIX = "use the version that it was trained with, or train again"
# TensorFlow, Keras and our own classes raise these on files that they do not understand.
_BROKEN = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    RuntimeError,
    tf.errors.OpError,
)


class DamagedError(UserError):
    """A checkpoint whose files are missing or damaged; an earlier one may be used instead."""


@dataclasses.dataclass(frozen=True)
class Best:
    """The best validation score of a run so far."""

    step: int  # when it was reached
    average_precision: float
    threshold: float  # probability above which voxels are occupied; the best on validation shapes


@dataclasses.dataclass(frozen=True)
class Progress:
    """State of a training loop beside the weights."""

    data_set: str  # name of the prepared data set that the run trains on
    minutes: float = 0.0  # spent in training
    best: Best | None = None  # None before the first validation


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk, whose files match their hashes."""

    path: pathlib.Path  # its folder
    info: ModelInfo
    progress: Progress


def save(
    folder: str | os.PathLike,
    model: SemiSupervisedReconstructor,
    info: ModelInfo,
    progress: Progress,
    keep: set[int],
) -> Checkpoint:
    """Write a checkpoint of a compiled model and its optimizers into a run's checkpoint folder.

    Older ones are deleted, except for the newest two and those of the steps in `keep`.

    Raises:
      UserError: if the checkpoint cannot be written; earlier ones are untouched.
    """
    folder = pathlib.Path(folder)
    final, partial = _path(folder, info.step), folder / f"partial_{info.step:08d}"
    for left in folder.glob("partial_*"):  # left by a training that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _training_state(model).write(os.fspath(partial / "state"))
        metadata: dict[str, Any] = {
            "info": info.to_dict(),
            "progress": dataclasses.asdict(progress),
            "sha256": {path.name: _sha256(path) for path in sorted(partial.iterdir())},
        }
        metadata["digest"] = _digest(metadata)
        (partial / METADATA).write_text(json.dumps(metadata, indent=1), encoding="utf-8")
        for path in partial.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        if final.exists():  # the same step of the same run, hence bit-identical
            shutil.rmtree(final)
        partial.rename(final)
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"the checkpoint of step {info.step} could not be written to {folder} ({error}): free "
            "some space there and run the same command again; earlier checkpoints are untouched"
        ) from error
    for old in set(_steps(folder)) - {info.step, *keep, *_steps(folder)[-2:]}:
        shutil.rmtree(_path(folder, old))
    return read(final)


def read(path: str | os.PathLike) -> Checkpoint:
    """Read and check the checkpoint in a `step_*` folder.

    Raises:
      DamagedError: if the checkpoint is missing or damaged.
      UserError: if an earlier version of the package wrote it.
    """
    path = pathlib.Path(path)
    try:
        metadata = json.loads((path / METADATA).read_text(encoding="utf-8"))
        digest, hashes = metadata.pop("digest"), metadata["sha256"]
        damaged = [name for name, value in hashes.items() if _sha256(path / name) != value]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(
            f"{path} is not a valid checkpoint: delete it or name another"
        ) from error
    if _STATE not in hashes or digest != _digest(metadata):
        damaged = [METADATA]
    if damaged:
        raise DamagedError(
            f"{path / damaged[0]} is damaged: delete {path} or name another checkpoint"
        )
    if "info" not in metadata:
        raise UserError(f"{path} is of an earlier version of ptn_semi: {_FIX}")
    with refusing_others(path, _FIX):
        progress = metadata["progress"]
        best = Best(**progress["best"]) if progress["best"] else None
        return Checkpoint(
            path, ModelInfo.from_dict(metadata["info"]), Progress(**progress | {"best": best})
        )


def latest(folder: str | os.PathLike) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of a run, or None; print notes on damaged ones."""
    for step in reversed(_steps(folder)):
        try:
            return read(_path(folder, step))
        except DamagedError:
            print(f"note: {_path(folder, step)} is damaged; the checkpoint before it is used")
    return None


def newest_step(folder: str | os.PathLike) -> int:
    """Return the step of a run's newest checkpoint, or 0, without reading its files."""
    return max(_steps(folder), default=0)


def find(path: str | os.PathLike, which: str = "best") -> Checkpoint:
    """Find the checkpoint that a user names: a `step_*` folder, or the best or last of a workdir.

    An earlier one replaces a damaged last one.

    Raises:
      UserError: if there is no checkpoint, or the best one is damaged.
    """
    path = pathlib.Path(path)
    if (path / METADATA).exists():
        return read(path)
    folder = path / FOLDER
    newest = latest(folder)
    if newest is None:
        raise UserError(f"{path} holds no checkpoint: pass the workdir of a training run")
    best = newest.progress.best
    if which == "last" or best is None:
        return newest
    try:
        return read(_path(folder, best.step))
    except DamagedError as error:
        raise UserError(
            f"the best checkpoint of {path}, of step {best.step}, is missing or damaged: train "
            f"again in another workdir, or use the last checkpoint, {newest.path}"
        ) from error


def restore(checkpoint: Checkpoint, model: SemiSupervisedReconstructor) -> None:
    """Restore a compiled model and its optimizers bit-identically.

    Raises:
      UserError: if the checkpoint is of another model or version.
    """
    with refusing_others(checkpoint.path, _FIX), files.without_patterns(checkpoint.path) as folder:
        _training_state(model).read(f"{folder}/state").assert_consumed()


def restore_parts(checkpoint: Checkpoint, parts: dict[str, keras.Model]) -> None:
    """Restore some networks of a checkpoint, each by its name in it; see `named_parts`.

    Raises:
      UserError: if the checkpoint has no such networks, or others.
    """
    with refusing_others(checkpoint.path, _FIX), files.without_patterns(checkpoint.path) as folder:
        status = tf.train.Checkpoint(**parts).read(f"{folder}/state")
        status.assert_existing_objects_matched().expect_partial()


def load_networks(checkpoint: Checkpoint, jit_compile: bool = True) -> Networks:
    """Load the networks that reconstruct at test time, the EMA.

    They compute in float32 whatever they were trained in, so that their voxels equal an exported
    model's. CPUs round bfloat16 differently, which changes voxels by some hundredths.

    Raises:
      UserError: if the checkpoint is of another version.
    """
    with refusing_others(checkpoint.path, _FIX):
        loaded, _ = networks.build_networks(checkpoint.info.settings, jit_compile=jit_compile)
    restore_parts(checkpoint, named_parts("ema", loaded))
    return loaded


def named_parts(prefix: str, networks: Networks) -> dict[str, Any]:
    """Return networks by their names in a checkpoint, in which "ema" or "networks" comes first."""
    return {f"{prefix}_{name}": part for name, part in networks.parts.items()}


@contextlib.contextmanager
def refusing_others(path: str | os.PathLike, fix: str) -> Iterator[None]:
    """Turn errors from reading a model of another program or version into a `UserError`.

    Its message names `path` and ends with `fix`, which says how to fix it.
    """
    try:
        yield
    except _BROKEN as error:
        raise UserError(
            f"{path} is damaged or not of this version of ptn_semi ({errors.first_line(error)}): "
            f"{fix}"
        ) from error


def non_finite_weight(model: keras.Model) -> str | None:
    """Return the path of a weight that is not finite, or None."""
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype) and not np.isfinite(weight.numpy()).all():
            return weight.path
    return None


def _training_state(model: SemiSupervisedReconstructor) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(
        steps=model.steps,
        discriminator=model.discriminator,
        **named_parts("networks", model.networks),
        **named_parts("ema", model.ema),
        **model.built_optimizers,
    )


def _path(folder: str | os.PathLike, step: int) -> pathlib.Path:
    return pathlib.Path(folder) / f"step_{step:08d}"


def _steps(folder: str | os.PathLike) -> list[int]:
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name[5:]) for name in names if re.fullmatch(r"step_\d{8,}", name))


def _digest(metadata: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()


def _sha256(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
