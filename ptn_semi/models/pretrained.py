"""The trained model that comes with the package, in `ptn_semi/pretrained/`.

It is kept as float16 weights (model.npz) and a description (model.json), which holds its
`ModelInfo` and a digest of the weights.
"""

import hashlib
import io
import json
import os
import pathlib

import numpy as np

import ptn_semi
from ptn_semi.models import checkpoints, networks
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.networks import Networks
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

FOLDER = pathlib.Path(ptn_semi.__file__).parent / "pretrained"
_WEIGHTS, _DESCRIPTION = "model.npz", "model.json"
_MAX_BYTES = 64 << 20  # of the weights' file
_FIX = "install ptn_semi again"


def write(model: Networks, info: ModelInfo, folder: str | os.PathLike = FOLDER) -> None:
    """Write a trained model in the form that comes with the package.

    Raises:
      UserError: if it cannot be written.
    """
    weights = [weight.astype(np.float16) for weight in model.get_weights()]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, *weights)
    data = buffer.getvalue()
    text = json.dumps(info.to_dict() | {"sha256": hashlib.sha256(data).hexdigest()}, indent=1)
    folder = pathlib.Path(folder)
    with files.replacing(folder / _WEIGHTS) as partial:
        partial.write_bytes(data)
    with files.replacing(folder / _DESCRIPTION) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read(folder: str | os.PathLike = FOLDER) -> tuple[Networks, ModelInfo]:
    """Read the model that comes with the package, which computes in float32.

    Raises:
      UserError: if it is missing or damaged.
    """
    folder = pathlib.Path(folder)
    description = files.read_json(folder / _DESCRIPTION, _FIX)
    data = files.read(folder / _WEIGHTS, _MAX_BYTES, _FIX)
    with checkpoints.refusing_others(folder, _FIX):
        if hashlib.sha256(data).hexdigest() != description["sha256"]:
            raise UserError(f"{folder / _WEIGHTS} is damaged: {_FIX}")
        info = ModelInfo.from_dict(description)
        model, _ = networks.build_networks(info.settings)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            model.set_weights([stored[name].astype(np.float32) for name in stored.files])
    return model, info
