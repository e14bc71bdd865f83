"""Masks as callers have them: any type of numbers in [0, 1] will do, and the rest is refused."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import mask_batches, networks
from ptn_semi.models.model_settings import ModelSettings
from support.tiny_networks import TINY

MASKS = np.zeros([2, 32, 32, 1], np.float32)
MASKS[:, 8:24, 10:20] = 1


@pytest.fixture(scope="module")
def model():
    return networks.build_networks(ModelSettings(TINY))[0]


@pytest.mark.parametrize(
    "masks",
    [
        MASKS.astype(bool),
        MASKS.astype(np.uint8),
        MASKS.astype(np.float64),
        tf.constant(MASKS, tf.float64),
        tf.constant(MASKS, tf.uint8),
        MASKS.tolist(),
    ],
    ids=["bool", "uint8", "float64", "tensor of float64", "tensor of uint8", "list"],
)
def test_masks_of_any_type_give_the_same_voxels(model, masks):
    expected = model.predict(MASKS)
    np.testing.assert_array_equal(model.predict(masks), expected)
    views = tf.expand_dims(masks, 1)
    np.testing.assert_allclose(model.predict_views(views)[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((32, 32), r"pass masks\[None, \.\.\., None\]"),
        ((32, 32, 1), r"pass masks\[None\]"),
        ((2, 32, 32), r"pass masks\[\.\.\., None\]"),
        ((1, 2, 32, 32, 1), "leave out the other axes"),
        ((1, 64, 64, 1), r"make each mask with framing\.frame\(silhouette, 32, extent\)"),
        ((64, 64), r"make each mask with framing\.frame\(silhouette, 32, extent\)"),
        ((0, 32, 32, 1), "pass at least one mask"),
    ],
)
def test_masks_of_other_shapes_are_refused(shape, said):
    with pytest.raises(ValueError, match=rf"^masks must be \[B, 32, 32, 1\], not .*: {said}$"):
        mask_batches.check(np.zeros(shape), 32)


def test_views_of_other_shapes_are_refused(model):
    said = r"^masks must be \[B, K, 32, 32, 1\], not \[2, 32, 32, 1\]: pass masks\[None\]$"
    with pytest.raises(ValueError, match=said):
        model.predict_views(MASKS)
    with pytest.raises(ValueError, match=r"^viewpoints must be \[1, 2, 2\], not \[2, 2\]: pass"):
        model.predict_views(MASKS[None], np.zeros([2, 2]))


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        (np.uint8(MASKS) * 255, "0 to 255: divide by 255"),
        (MASKS * 2 - 1, "-1 to 1"),
        (np.where(MASKS > 0, np.nan, 0), "nan"),
        (MASKS.astype(str), "not <U"),
    ],
)
def test_masks_of_other_numbers_are_refused(masks, said):
    with pytest.raises(ValueError, match=f"^masks must hold numbers from 0 to 1.*{said}"):
        mask_batches.check(masks, 32)


def test_refused_masks_do_not_stop_other_threads(model):
    for wrong in (tf.zeros([1, 32, 32, 1], tf.string), tf.fill([1, 32, 32, 1], 255)):
        with pytest.raises(ValueError, match=r"^masks must hold"):
            model.predict(wrong)
    found = []
    other = threading.Thread(target=lambda: found.append(model.predict(MASKS)), daemon=True)
    other.start()
    other.join(60)
    assert found and found[0].shape == (2, 32, 32, 32)
