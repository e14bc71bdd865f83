"""The networks, their losses and training step, and checkpoints.

Imports `projection` and `utils`.
"""
