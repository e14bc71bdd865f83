"""Checkpoints of a training run: written atomically, checked when read.

A checkpoint is a folder `step_00001000` with TensorFlow's own checkpoint files and
`checkpoint.json`: the step, the model's configuration, the best validation score so far and a
SHA-256 of every file. It is written under another name and then renamed, so that a folder with that
name is whole. Nothing in it is executed when it is read.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil

import keras
import numpy as np
import tensorflow as tf

from ptn_semi import networks
from ptn_semi.errors import UserError
from ptn_semi.model import OPTIMIZERS, LossSettings, SemiSupervisedReconstructor

_METADATA = "checkpoint.json"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk, its files' hashes checked.

    Attributes:
      path: its folder.
      step: pairs of iterations done.
      model_config: of `SemiSupervisedReconstructor`.
      progress: what the training loop keeps beside the weights (best score, minutes spent).
    """

    path: pathlib.Path
    step: int
    model_config: dict
    progress: dict


def save(folder, model, progress, keep):
    """Writes a checkpoint of model and optimizers into `folder`, then deletes those not wanted.

    Args:
      folder: the run's checkpoint folder.
      model: a compiled `SemiSupervisedReconstructor`.
      progress: JSON-able dict of the training loop.
      keep: steps to keep besides the newest two.

    Returns:
      The `Checkpoint`.
    """
    folder = pathlib.Path(folder)
    step = int(model.steps.numpy())
    final, partial = folder / f"step_{step:08d}", folder / f"partial_{step:08d}"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _trackable(model).write(os.fspath(partial / "state"))
        metadata = {
            "step": step,
            "model": model.get_config(),
            "progress": progress,
            "sha256": {path.name: _sha256(path) for path in sorted(partial.iterdir())},
        }
        (partial / _METADATA).write_text(json.dumps(metadata, indent=1))
        for path in partial.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        if final.exists():  # the same step of the same run, so the same bits
            shutil.rmtree(final)
        partial.rename(final)
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"the checkpoint of step {step} could not be written to {folder} ({error}): free some "
            "space there and give the same command again; earlier checkpoints are untouched"
        ) from error
    wanted = {step, *keep, *_steps(folder)[-2:]}
    for old in set(_steps(folder)) - wanted:
        shutil.rmtree(folder / f"step_{old:08d}")
    return read(final)


def read(path):
    """Reads and checks the checkpoint in a `step_*` folder.

    Raises:
      UserError: it is missing or damaged.
    """
    path = pathlib.Path(path)
    try:
        metadata = json.loads((path / _METADATA).read_text())
        hashes = metadata["sha256"]
        damaged = [name for name, value in hashes.items() if _sha256(path / name) != value]
        checkpoint = Checkpoint(path, metadata["step"], metadata["model"], metadata["progress"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a whole checkpoint: delete it or name another") from error
    if damaged:
        raise UserError(
            f"{path / damaged[0]} is damaged: delete {path} to go back to the one before"
        )
    return checkpoint


def latest(folder, on_damage=None):
    """The newest whole checkpoint of a run, or None.

    Args:
      folder: the run's checkpoint folder.
      on_damage: called with a sentence for each newer one that is damaged; None raises it instead.
    """
    for step in reversed(_steps(folder)):
        try:
            return read(pathlib.Path(folder) / f"step_{step:08d}")
        except UserError as error:
            if on_damage is None:
                raise
            on_damage(str(error))
    return None


def newest_step(folder):
    """Step of the newest checkpoint of a run, 0 if there is none; its files are not read."""
    return max(_steps(folder), default=0)


def find(path, which="best"):
    """The checkpoint that a user names: a workdir (its best or last one) or a `step_*` folder.

    Raises:
      UserError: nothing there.
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
    return read(folder / f"step_{best['step']:08d}")


def restore(checkpoint, model):
    """Restores a compiled model and its optimizers to the bits that were saved."""
    _check_architecture(checkpoint, model)
    _trackable(model).read(os.fspath(checkpoint.path / "state")).assert_consumed()


def restore_networks(checkpoint, model):
    """Restores the networks alone, without optimizers and step; V where there is one."""
    _check_architecture(checkpoint, model)
    parts = _networks(model)
    if not LossSettings(**checkpoint.model_config["loss_settings"]).uses_viewpoint_estimator:
        parts.pop("viewpoint_estimator", None)
    status = tf.train.Checkpoint(**parts).read(os.fspath(checkpoint.path / "state"))
    status.assert_existing_objects_matched().expect_partial()


def start_from(checkpoint, model):
    """Starts a new run from a checkpoint's networks, E and G from their averages."""
    restore_networks(checkpoint, model)
    model.encoder.set_weights(model.average_encoder.get_weights())
    model.generator.set_weights(model.average_generator.get_weights())


def load_model(checkpoint, **changes):
    """A model as it was saved, without optimizers; `changes` to its arguments, as precision."""
    model = SemiSupervisedReconstructor.from_config(checkpoint.model_config | changes)
    restore_networks(checkpoint, model)
    return model


def non_finite_weight(model):
    """Path of a weight that is not finite, or None."""
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype) and not np.isfinite(weight.numpy()).all():
            return weight.path
    return None


def _networks(model):
    names = "encoder", "generator", "discriminator", "average_encoder", "average_generator"
    parts = {name: getattr(model, name) for name in names}
    if model.viewpoint_estimator is not None:
        parts["viewpoint_estimator"] = model.viewpoint_estimator
    return parts


def _trackable(model):
    names = OPTIMIZERS if model.viewpoint_estimator is not None else OPTIMIZERS[:-1]
    parts = {name: getattr(model, name) for name in names}
    return tf.train.Checkpoint(steps=model.steps, **_networks(model), **parts)


def _check_architecture(checkpoint, model):
    asked = _sizes(json.loads(json.dumps(model.get_config())))
    differing = [flag for flag in _sizes(checkpoint.model_config) if flag not in asked]
    if differing:
        raise UserError(
            f"{checkpoint.path} is of another architecture: it needs {' '.join(differing)}"
        )


def _sizes(config):
    """The flags that decide the weights' shapes, from a model's configuration in JSON."""
    presets = {
        name: json.loads(json.dumps(dataclasses.asdict(architecture)))
        for name, architecture in networks.PRESETS.items()
    }
    names = [name for name, value in presets.items() if value == config["architecture"]]
    preset = names[0] if names else f"(unknown: {config['architecture']})"
    sizes = (f"--{name}={config[name]}" for name in ("voxel_size", "image_size"))
    return [f"--preset={preset}", *sizes]


def _steps(folder):
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name[5:]) for name in names if re.fullmatch(r"step_\d{8,}", name))


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
