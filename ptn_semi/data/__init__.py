"""Prepared data sets: code that builds them, reads them and draws training batches from them.

Holds TFDS preparation, splits in memory, batches, the framing of silhouettes, and early checks.
May import `shapenet_posed_masks`, `settings`, `visual`, `models`, `projection` and `utils`.
"""
