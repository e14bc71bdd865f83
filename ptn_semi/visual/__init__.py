"""Pictures and surfaces of masks and voxels.

Holds shaded renderings, contact sheets and watertight meshes; nothing here trains or reads data.
May import `projection` and `utils`.
"""
