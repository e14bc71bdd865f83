"""Image files, and the silhouettes of the objects in them.

May import `settings`, `shapes`, `visual` and `utils`.
"""
