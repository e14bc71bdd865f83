"""Keras' global settings, which a user may have changed for other work."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def keras_defaults(precision: str = "float32") -> Iterator[None]:
    """Make layers that are built within the context independent of Keras' global settings.

    They compute in `precision`, one of `architectures.PRECISIONS`, and have their channels last.
    Layers keep both once they are built. The global settings are restored afterwards.
    """
    config = keras.config
    kept = config.floatx(), config.dtype_policy(), config.image_data_format()
    try:
        config.set_floatx("float32")
        config.set_dtype_policy(precision)
        config.set_image_data_format("channels_last")
        yield
    finally:
        config.set_floatx(kept[0])
        config.set_dtype_policy(kept[1])
        config.set_image_data_format(kept[2])
