"""The trained model that comes with the package, in `ptn_semi/pretrained/`.

It is kept as float16 weights (model.npz) and a description (model.json), which holds the model's
settings, what `exports.metadata` tells of a model, and a digest of the weights.
"""

import hashlib
import io
import json
import os
import pathlib
from typing import Any

import numpy as np

import ptn_semi
from ptn_semi.models import checkpoints
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

FOLDER = pathlib.Path(ptn_semi.__file__).parent / "pretrained"
_WEIGHTS, _DESCRIPTION = "model.npz", "model.json"
_FIX = "install ptn_semi again"


def averaged_variables(model: SemiSupervisedReconstructor) -> list:
    """Return the variables of the averaged networks, which reconstruct, in a fixed order."""
    networks = (getattr(model, f"average_{name}") for name in model.averaged_networks)
    return [variable for network in networks for variable in network.variables]


def write(
    model: SemiSupervisedReconstructor,
    known: dict[str, Any],
    folder: str | os.PathLike = FOLDER,
) -> None:
    """Write a model in the form that comes with the package.

    Args:
      model: the trained model.
      known: its `exports.metadata`.
      folder: where to; the package's own by default.

    Raises:
      UserError: it cannot be written.
    """
    weights = [variable.value.numpy().astype(np.float16) for variable in averaged_variables(model)]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, *weights)
    data = buffer.getvalue()
    text = json.dumps(known | {"sha256": hashlib.sha256(data).hexdigest()}, indent=1)
    folder = pathlib.Path(folder)
    with files.replacing(folder / _WEIGHTS) as partial:
        partial.write_bytes(data)
    with files.replacing(folder / _DESCRIPTION) as partial:
        partial.write_text(text + "\n")


def read(
    folder: str | os.PathLike = FOLDER,
) -> tuple[SemiSupervisedReconstructor, dict[str, Any]]:
    """Read the model that comes with the package.

    Args:
      folder: where it is; the package's own by default.

    Returns:
      The model, which computes in float32, and its `exports.metadata`.

    Raises:
      UserError: it is missing or damaged.
    """
    folder = pathlib.Path(folder)
    known = files.read_json(folder / _DESCRIPTION, _FIX)
    data = files.read(folder / _WEIGHTS, 64 << 20, _FIX)
    with checkpoints.refusing_others(folder, _FIX):
        if hashlib.sha256(data).hexdigest() != known["sha256"]:
            raise UserError(f"{folder / _WEIGHTS} is damaged: {_FIX}")
        model = checkpoints.model_of(known["model"] | {"precision": "float32"})
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            for variable, name in zip(averaged_variables(model), stored.files, strict=True):
                variable.assign(stored[name].astype(np.float32))
    return model, known


def start_from(model: SemiSupervisedReconstructor, folder: str | os.PathLike = FOLDER) -> None:
    """Initialise a new run with the networks of the model that comes with the package.

    Args:
      model: the model to train, with or without R and V. D stays as it is.
      folder: where the shipped model is.

    Raises:
      UserError: it is missing or damaged, or has another architecture.
    """
    shipped, known = read(folder)
    checkpoints.check_architecture("--init_from=pretrained", known["model"], model)
    for name in model.averaged_networks:
        if name in shipped.averaged_networks:
            weights = getattr(shipped, f"average_{name}").get_weights()
            getattr(model, f"average_{name}").set_weights(weights)
            getattr(model, name).set_weights(weights)
