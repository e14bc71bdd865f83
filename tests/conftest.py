"""Loaded before any test, so that TensorFlow computes with oneDNN as it does for users."""

import ptn_semi  # noqa: F401
