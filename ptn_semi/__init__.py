"""Single-view 3D reconstruction with limited pose supervision.

The public names are imported when they are first used, because TensorFlow takes seconds to import.
To load a `.keras` file that holds layers or models of this package, register them with Keras first:

    from ptn_semi import SemiSupervisedReconstructor  # registers all layers and models
    model = keras.saving.load_model("model.keras")
"""

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# With its own name in the error, Python prints one line for `python -m ptn_semi.train`.
if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError(
        f"ptn_semi needs Python 3.11 or newer, not {sys.version_info[0]}.{sys.version_info[1]}: "
        "make an environment with one, e.g. python3.11 -m venv .venv",
        name="ptn_semi",
    )
if importlib.util.find_spec("absl") is None:
    raise ImportError(
        "the packages that ptn_semi needs are not installed here: pip install -e . installs them, "
        "and make demo installs them in .venv",
        name="ptn_semi",
    )

from ptn_semi.utils import cpu, keras_backend

# TensorFlow reads this setting once, when it is imported, so it cannot wait for a call.
cpu.use_onednn()

_MODULES = {
    "Camera": "ptn_semi.projection.camera",
    "DataSettings": "ptn_semi.settings",
    "LossSettings": "ptn_semi.models.loss_settings",
    "ModelSettings": "ptn_semi.models.model_settings",
    "Networks": "ptn_semi.models.networks",
    "Projector": "ptn_semi.projection.projector",
    "Reconstructor": "ptn_semi.inference.reconstruction",
    "RunSettings": "ptn_semi.settings",
    "SemiSupervisedReconstructor": "ptn_semi.models.semi_supervised",
    "TrainSettings": "ptn_semi.settings",
    "UserError": "ptn_semi.utils.errors",
    "load_model": "ptn_semi.inference.reconstruction",
}
_NEED_KERAS = {
    "Networks",
    "Projector",
    "Reconstructor",
    "SemiSupervisedReconstructor",
    "load_model",
}
__all__ = ["__version__", *_MODULES]

if TYPE_CHECKING:
    from ptn_semi.inference.reconstruction import Reconstructor as Reconstructor
    from ptn_semi.inference.reconstruction import load_model as load_model
    from ptn_semi.models.loss_settings import LossSettings as LossSettings
    from ptn_semi.models.model_settings import ModelSettings as ModelSettings
    from ptn_semi.models.networks import Networks as Networks
    from ptn_semi.models.semi_supervised import (
        SemiSupervisedReconstructor as SemiSupervisedReconstructor,
    )
    from ptn_semi.projection.camera import Camera as Camera
    from ptn_semi.projection.projector import Projector as Projector
    from ptn_semi.settings import DataSettings as DataSettings
    from ptn_semi.settings import RunSettings as RunSettings
    from ptn_semi.settings import TrainSettings as TrainSettings
    from ptn_semi.utils.errors import UserError as UserError
else:

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module 'ptn_semi' has no attribute {name!r}")
        if name in _NEED_KERAS:
            keras_backend.check()
        value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
        return value


def __dir__():
    return sorted({*globals(), *_MODULES})
