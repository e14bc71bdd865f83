"""Small folders of trained models: of those in `ptn_semi/pretrained/`, and to be published.

A model is kept as float16 weights (model.npz) and a description (model.json), which holds its
`ModelInfo` and a digest of the weights. Reading it never executes code.
"""

import hashlib
import io
import json
import math
import os
import pathlib
import zipfile
import zlib

import numpy as np

import ptn_semi
from ptn_semi.models import checkpoints, networks
from ptn_semi.models.checkpoint_paths import DESCRIPTION, WEIGHTS
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.models.networks import Networks
from ptn_semi.utils import files
from ptn_semi.utils.errors import UserError

# The package's own, by the side of their masks and of their voxels.
FOLDERS = {
    side: pathlib.Path(ptn_semi.__file__).parent / "pretrained" / str(side) for side in (32, 64)
}
_MAX_BYTES = 256 << 20  # of the weights' file; those of --preset=paper take 80 MB
_CARD = """\
---
library_name: ptn_semi
pipeline_tag: image-to-3d
tags:
  - single-view-reconstruction
  - silhouettes
  - voxels
---

# {title}

This model of ptn_semi reconstructs {voxel_size}³ voxels from one silhouette of {image_size}²
pixels. It knows {categories}, and was trained for {step} steps.

```python
import ptn_semi

reconstructor = ptn_semi.load_model("hf://USER/MODEL")  # or this folder
```

`model.npz` holds the weights as float16, and `model.json` the settings and a digest of the weights.

Before you publish it, put in the repository's name above, and say what the model was trained on,
how well it scores, and under which licence it may be used.
"""


def write(model: Networks, info: ModelInfo, folder: str | os.PathLike) -> None:
    """Write the weights and the description of a trained model.

    Raises:
      UserError: if it cannot be written.
    """
    weights = [weight.astype(np.float16) for weight in model.get_weights()]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, *weights)
    data = buffer.getvalue()
    text = json.dumps(info.to_dict() | {"sha256": hashlib.sha256(data).hexdigest()}, indent=1)
    folder = pathlib.Path(folder)
    with files.replacing(folder / WEIGHTS) as partial:
        partial.write_bytes(data)
    with files.replacing(folder / DESCRIPTION) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read(folder: str | os.PathLike = FOLDERS[32]) -> tuple[Networks, ModelInfo]:
    """Read a model that `write` wrote, which computes in float32; by default the package's of 32³.

    Raises:
      UserError: if it is missing or damaged.
    """
    folder = pathlib.Path(folder)
    fix = "install ptn_semi again" if folder in FOLDERS.values() else "export or download it again"
    description = files.read_json(folder / DESCRIPTION, fix)
    data = files.read(folder / WEIGHTS, _MAX_BYTES, fix)
    with checkpoints.refusing_others(folder, fix):
        if hashlib.sha256(data).hexdigest() != description["sha256"]:
            raise UserError(f"{folder / WEIGHTS} is damaged: {fix}")
        info = ModelInfo.from_dict(description)
        model, _ = networks.build_networks(info.settings)
        model.set_weights(_unpack(data, [tuple(weight.shape) for weight in model.weights]))
    return model, info


def card(info: ModelInfo) -> str:
    """Return the README.md of a model's folder, with what is known of the model."""
    categories = ", ".join(info.categories) or "shapes of no named category"
    return _CARD.format(
        title=f"Shapes from silhouettes: {categories}",
        categories=categories,
        image_size=info.settings.image_size,
        voxel_size=info.settings.voxel_size,
        step=info.step,
    )


def _unpack(data: bytes, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Read weights of known shapes, so that a packed file of others cannot fill the memory.

    Raises:
      ValueError, KeyError: if there are others, or the file is damaged.
    """
    weights = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as stored:
            for number, shape in enumerate(shapes):
                with stored.open(f"arr_{number}.npy") as file:
                    np.lib.format.read_magic(file)
                    if np.lib.format.read_array_header_1_0(file) != (shape, False, np.float16):
                        raise ValueError(f"weight {number} has another shape")
                    values = np.frombuffer(file.read(2 * math.prod(shape)), np.float16)
                    weights.append(values.reshape(shape).astype(np.float32))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(str(error)) from error
    return weights
