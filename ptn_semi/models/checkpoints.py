"""Checkpoints of a training run, which are written atomically and checked when they are read.

A checkpoint is a folder, such as `step_00001000`, with TensorFlow's own checkpoint files and
`checkpoint.json`. That file holds the step, the model's configuration, the best validation score so
far, the SHA-256 of every file and one of all these entries. The folder is written under another
name and then renamed, so that it is complete. Reading a checkpoint never executes code.
"""

import contextlib
import dataclasses
import hashlib
import inspect
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from ptn_semi.models import architectures
from ptn_semi.models.loss_settings import LossSettings
from ptn_semi.models.reconstructor import OPTIMIZERS, SemiSupervisedReconstructor
from ptn_semi.utils import errors, files
from ptn_semi.utils.errors import UserError

_METADATA = "checkpoint.json"
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
_STATE = "state.index"  # the one of TensorFlow's own files whose name is always the same


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk, whose files match their hashes.

    Attributes:
      path: its folder.
      step: number of training steps done.
      model_config: configuration of the `SemiSupervisedReconstructor`.
      progress: state of the training loop beside the weights (best score, minutes spent).
    """

    path: pathlib.Path
    step: int
    model_config: dict
    progress: dict


def save(
    folder: str | os.PathLike, model: SemiSupervisedReconstructor, progress: dict, keep: set[int]
) -> Checkpoint:
    """Write a checkpoint of a model and its optimizers, delete old ones and return the new one.

    Args:
      folder: the run's checkpoint folder.
      model: a compiled model.
      progress: state of the training loop, which JSON can hold.
      keep: steps of checkpoints to keep besides the newest two.

    Raises:
      UserError: the checkpoint cannot be written; earlier ones are untouched.
    """
    folder = pathlib.Path(folder)
    step = int(model.steps.numpy())
    final, partial = _path(folder, step), folder / f"partial_{step:08d}"
    for left in folder.glob("partial_*"):  # left by a training that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _trackable(model).write(os.fspath(partial / "state"))
        metadata = {
            "step": step,
            "model": model.get_config(),
            "progress": progress,
            "sha256": {path.name: _sha256(path) for path in sorted(partial.iterdir())},
        }
        metadata["digest"] = _digest(metadata)
        (partial / _METADATA).write_text(json.dumps(metadata, indent=1))
        for path in partial.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        if final.exists():  # the same step of the same run, hence bit-identical
            shutil.rmtree(final)
        partial.rename(final)
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"the checkpoint of step {step} could not be written to {folder} ({error}): free some "
            "space there and run the same command again; earlier checkpoints are untouched"
        ) from error
    for old in set(_steps(folder)) - {step, *keep, *_steps(folder)[-2:]}:
        shutil.rmtree(_path(folder, old))
    return read(final)


def read(path: str | os.PathLike) -> Checkpoint:
    """Read and check the checkpoint in a `step_*` folder.

    Raises:
      UserError: the checkpoint is missing or damaged.
    """
    path = pathlib.Path(path)
    try:
        metadata = json.loads((path / _METADATA).read_text())
        digest = metadata.pop("digest", None)  # the oldest checkpoints have none
        hashes = metadata["sha256"]
        damaged = [name for name, value in hashes.items() if _sha256(path / name) != value]
        checkpoint = Checkpoint(path, metadata["step"], metadata["model"], metadata["progress"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a valid checkpoint: delete it or name another") from error
    if _STATE not in hashes or digest not in (None, _digest(metadata)):
        damaged = [_METADATA]
    if damaged:
        raise UserError(f"{path / damaged[0]} is damaged: delete {path} or name another checkpoint")
    return checkpoint


def latest(folder: str | os.PathLike) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of a run, or None; print notes on damaged ones."""
    for step in reversed(_steps(folder)):
        try:
            return read(_path(folder, step))
        except UserError:
            print(f"note: {_path(folder, step)} is damaged; the checkpoint before it is used")
    return None


def newest_step(folder: str | os.PathLike) -> int:
    """Return the step of a run's newest checkpoint, or 0, without reading its files."""
    return max(_steps(folder), default=0)


def find(path: str | os.PathLike, which: str = "best") -> Checkpoint:
    """Find the checkpoint that a user names.

    Args:
      path: a workdir or a `step_*` folder.
      which: "best" or "last" of a workdir; the one before replaces a damaged last one.

    Raises:
      UserError: there is no checkpoint, or the best one is damaged.
    """
    path = pathlib.Path(path)
    if (path / _METADATA).exists():
        return read(path)
    folder = path / "checkpoints"
    newest = latest(folder)
    if newest is None:
        raise UserError(f"{path} holds no checkpoint: give a workdir that was trained in")
    best = newest.progress.get("best")
    if which == "last" or best is None:
        return newest
    try:
        return read(_path(folder, best["step"]))
    except UserError as error:
        raise UserError(
            f"the best checkpoint of {path}, of step {best['step']}, is missing or damaged: train "
            f"again in another workdir, or use the last checkpoint, {newest.path}"
        ) from error


def restore(checkpoint: Checkpoint, model: SemiSupervisedReconstructor) -> None:
    """Restore a compiled model and its optimizers bit-identically."""
    with refusing_others(checkpoint.path, _FIX):
        check_architecture(checkpoint.path, checkpoint.model_config, model)
        with files.without_patterns(checkpoint.path) as folder:
            _trackable(model).read(f"{folder}/state").assert_consumed()


def restore_networks(checkpoint: Checkpoint, model: SemiSupervisedReconstructor) -> None:
    """Restore the networks without optimizers and step; V and R only if the checkpoint has them."""
    with refusing_others(checkpoint.path, _FIX):
        check_architecture(checkpoint.path, checkpoint.model_config, model)
        parts = _networks(model, LossSettings(**checkpoint.model_config["loss_settings"]))
        with files.without_patterns(checkpoint.path) as folder:
            status = tf.train.Checkpoint(**parts).read(f"{folder}/state")
            status.assert_existing_objects_matched().expect_partial()


def start_from(checkpoint: Checkpoint, model: SemiSupervisedReconstructor) -> None:
    """Initialise a new run from a checkpoint's networks, with the averages of their weights."""
    restore_networks(checkpoint, model)
    for name in model.averaged_networks:
        getattr(model, name).set_weights(getattr(model, f"average_{name}").get_weights())


def load_model(checkpoint: Checkpoint) -> SemiSupervisedReconstructor:
    """Load a model without its optimizers.

    It computes in float32 whatever it was trained in, so that its voxels equal an exported model's.
    CPUs round bfloat16 differently, which changes voxels by some hundredths.
    """
    with refusing_others(checkpoint.path, _FIX):
        model = model_of(checkpoint.model_config | {"precision": "float32"})
    restore_networks(checkpoint, model)
    return model


def model_of(config: dict) -> SemiSupervisedReconstructor:
    """Build a new model from a stored configuration, which may come from a stranger.

    Only the arguments of the model, all plain values, are used. Other entries are ignored.
    """
    names = inspect.signature(SemiSupervisedReconstructor).parameters
    return SemiSupervisedReconstructor(
        **{name: value for name, value in config.items() if name in names}
    )


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


def _networks(model, stored):
    """Return by name the networks of the model that a checkpoint with these settings has too."""
    names = ["encoder", "generator", "discriminator", "average_encoder", "average_generator"]
    names += ["viewpoint_estimator"] * stored.uses_viewpoint_estimator
    names += ["refiner", "average_refiner", "average_viewpoint_estimator"] * stored.uses_refiner
    return {name: getattr(model, name) for name in names if getattr(model, name) is not None}


def _trackable(model):
    optimizers = {name: getattr(model, name) for name in OPTIMIZERS}
    parts = {name: each for name, each in optimizers.items() if each is not None and each.built}
    parts |= _networks(model, model.loss_settings)
    return tf.train.Checkpoint(steps=model.steps, **parts)


def check_architecture(
    name: str | os.PathLike, config: dict, model: SemiSupervisedReconstructor
) -> None:
    """Raise a `UserError` that names a stored model if its weights do not fit another model."""
    asked = _sizes(json.loads(json.dumps(model.get_config())))
    if differing := [flag for flag in _sizes(config) if flag not in asked]:
        raise UserError(f"{name} has another architecture: it needs {' '.join(differing)}")


def _sizes(config):
    """List the flags that determine the shapes of the weights in a model's JSON configuration."""
    presets = {
        name: json.loads(json.dumps(dataclasses.asdict(architecture)))
        for name, architecture in architectures.PRESETS.items()
    }
    stored = config["architecture"]  # without R's sizes where it is from before R
    preset = next((n for n, p in presets.items() if p | stored == p), f"(unknown: {stored})")
    flags = [f"--preset={preset}", f"--image_size={config['image_size']}"]
    if config["voxel_size"] == architectures.REFINED_SIZE:
        return [*flags, f"--model_voxel_size={config['voxel_size']}"]
    refined = LossSettings(**config["loss_settings"]).uses_refiner  # decides the size of G's voxels
    return [*flags, f"--voxel_size={config['voxel_size']}", f"--{'' if refined else 'no'}refine"]


def _path(folder, step):
    return pathlib.Path(folder) / f"step_{step:08d}"


def _steps(folder):
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name[5:]) for name in names if re.fullmatch(r"step_\d{8,}", name))


def _digest(metadata):
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
