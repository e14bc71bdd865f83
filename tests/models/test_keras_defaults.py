"""Models do not depend on Keras' global settings, which a user may have changed."""

import keras
import numpy as np
import pytest

from ptn_semi.inference import exports
from ptn_semi.models import hull_correction, pretrained
from ptn_semi.models.keras_defaults import keras_defaults
from ptn_semi.models.model_info import ModelInfo
from ptn_semi.shapes import predictions
from support.small_models import BATCH, REFINING, build

CHANGES = {
    "mixed_float16": lambda: keras.config.set_dtype_policy("mixed_float16"),
    "mixed_bfloat16": lambda: keras.config.set_dtype_policy("mixed_bfloat16"),
    "float64": lambda: keras.config.set_dtype_policy("float64"),
    "floatx": lambda: keras.config.set_floatx("float64"),
    "channels_first": lambda: keras.config.set_image_data_format("channels_first"),
}


def current():
    config = keras.config
    return config.floatx(), config.dtype_policy().name, config.image_data_format()


@pytest.fixture
def changed():
    """Changes a global setting; all are restored after the test."""
    before = current()
    yield lambda name: CHANGES[name]()
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
    keras.config.set_image_data_format(before[2])


def results(folder):
    """What a model trains and predicts, and what it predicts once it is loaded, in all ways."""
    model = build(**REFINING)
    losses = list(model.train_step(BATCH).values())
    masks = np.asarray(BATCH["view_a"])
    info = ModelInfo(model.settings, threshold=0.5, extent=0.7, categories=("chair",), step=1)
    pretrained.write(model.ema, info, folder)
    loaded, _ = pretrained.read(folder)
    shapes, *_ = predictions.predict_shapes(loaded, masks[:, None], 0.02)
    plain = exports._with_plain_layers(loaded.generator)
    return [
        *losses,
        model(masks),
        loaded(masks),
        loaded.predict(masks),
        loaded.predict_views(masks[None])[0],
        *(shape.occupied for shape in shapes),
        plain(loaded.encoder(masks)),
        hull_correction.load()(np.ones((1, 4, 4, 4, 1), np.float32)),
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return results(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("name", CHANGES)
def test_global_settings_change_no_model(name, changed, expected, tmp_path):
    changed(name)
    mine = current()
    found = results(tmp_path)
    assert current() == mine
    for value, other in zip(found, expected, strict=True):
        value, other = np.asarray(value), np.asarray(other)
        assert value.dtype == other.dtype
        np.testing.assert_array_equal(value, other)


def test_global_settings_are_restored_after_an_error(changed):
    changed("channels_first")
    with pytest.raises(KeyError), keras_defaults("mixed_bfloat16"):
        assert current() == ("float32", "mixed_bfloat16", "channels_last")
        raise KeyError
    assert current() == ("float32", "float32", "channels_first")
