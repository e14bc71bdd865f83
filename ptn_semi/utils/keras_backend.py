"""The backend that Keras computes with, which must be TensorFlow.

Commands choose it themselves (`cli.loading`). A Python program may have chosen another one for its
other work.
"""

import os

_OTHERS = ("jax", "openvino", "torch")  # packages that other backends need


def check() -> None:
    """Check that Keras computes with TensorFlow; imports Keras.

    Raises:
      ImportError: if another backend is chosen.
    """
    try:
        import keras

        backend = keras.config.backend()
    except ModuleNotFoundError as error:
        if error.name not in _OTHERS:
            raise
        backend = os.environ.get("KERAS_BACKEND", error.name)
    if backend != "tensorflow":
        raise ImportError(
            f"ptn_semi needs Keras with TensorFlow, but Keras' backend here is {backend}: set the "
            "environment variable KERAS_BACKEND=tensorflow before Keras is imported",
            name="ptn_semi",
        )
