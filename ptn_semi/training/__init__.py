"""Training runs.

Holds the training loop, its workdir, the devices that share a step, and TensorBoard logging.
May import `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and `utils`.
"""
