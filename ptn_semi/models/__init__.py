"""Define the networks that are trained.

The networks, their losses and training step, their predictions and their checkpoints live here.
This package may import `projection` and `utils`.
"""
