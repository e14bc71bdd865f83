"""Predictions: masks of other shapes are refused in words."""

import numpy as np
import pytest

from ptn_semi.models.predictor import Predictor
from support.small_models import build


@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 32), (2, 32, 32), (2, 16, 16, 1)])
def test_masks_of_other_shapes_are_refused(shape):
    predict = Predictor(build())
    with pytest.raises(ValueError, match=r"masks are \[B, 32, 32, 1\], not .* mask\[None\]"):
        predict(np.zeros(shape, np.float32))
    assert predict(np.zeros((2, 32, 32, 1), np.float32)).shape == (2, 32, 32, 32)
