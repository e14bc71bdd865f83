"""Objects in photographs before any background, found by the pretrained network U²-Net.

The package rembg runs it, and downloads its weights (176 MB) when it is first used. It has newer
networks too, but the terms of their weights, or of the photographs that these were trained on,
forbid commercial use.
"""

import functools
import importlib.util
import os

import numpy as np
from PIL import Image

from ptn_semi.utils import errors
from ptn_semi.utils.errors import UserError

_NETWORK = "u2net"
_ALTERNATIVE = "give a mask or an image with a transparent background, or use --segment=plain"


def is_installed() -> bool:
    """Return whether rembg is installed."""
    return importlib.util.find_spec("rembg") is not None


def segment(pixels: np.ndarray) -> np.ndarray:
    """Return the silhouette, bool [H, W], of the object that stands out in pixels, uint8 [H, W, 3].

    Raises:
      UserError: if the network's weights cannot be downloaded or read.
    """
    mask = _session().predict(Image.fromarray(pixels))[0]
    return np.asarray(mask) >= 128


@functools.cache
def _session():
    """Load the network, and download its weights where they are missing."""
    import onnxruntime
    import rembg
    import requests

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its warnings are not for users
    weights = f"{_NETWORK}.onnx"
    try:
        return rembg.new_session(_NETWORK, sess_opts=options, providers=["CPUExecutionProvider"])
    except (requests.RequestException, OSError) as error:
        reason = error.strerror or "no connection"
        raise UserError(
            f"the weights {weights} of the network that finds objects could not be downloaded "
            f"({reason}): connect to the internet, or {_ALTERNATIVE}"
        ) from error
    except Exception as error:  # ONNX Runtime's errors have no base class of their own
        path = rembg.sessions.sessions[_NETWORK].resolve_existing(weights)
        where = os.fspath(path or weights)
        raise UserError(
            f"{where} cannot be used ({errors.first_line(error)}): delete it to have it downloaded "
            f"again, or {_ALTERNATIVE}"
        ) from error
