"""Use of a trained model.

Holds silhouettes found in images, reconstruction of image files, exports, and early checks.
May import `evaluation`, `data`, `settings`, `visual`, `models`, `projection` and `utils`.
"""
