"""Evaluation of reconstructions.

Holds the metrics (NumPy only) and the code that scores a model or a workdir on a split.
May import `data`, `settings`, `visual`, `models`, `projection` and `utils`.
"""
