"""Files of shapes: meshes to view, edit and print, and voxels."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ptn_semi.settings import PLAIN_MESHES, MeshSettings
from ptn_semi.utils import binvox, files
from ptn_semi.visual import surfaces

SURFACES = {"smooth": surfaces.extract_smooth, "blocky": surfaces.extract_blocky}
_METRES = 1e-3  # of a millimetre. The unit of .glb is the metre; the other formats have none.
# From glTF's axes to those of printers: z up, the front at -y.
_TO_PRINTER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def write(
    path: pathlib.Path,
    voxels: np.ndarray,
    threshold: float,
    meshes: MeshSettings = PLAIN_MESHES,
    paint: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> None:
    """Write a reconstruction to a file, without small components of the shape.

    An .npz has the probabilities as they are.

    Args:
      path: the file; its suffix is its format, one of `settings.SHAPE_FORMATS`.
      voxels: probabilities, float32 [N, N, N] in [0, 1], axes x, y, z.
      threshold: probability above which voxels are occupied.
      meshes: how to make meshes.
      paint: function from points and outward normals [V, 3], in object axes and grid sides, to
        colours uint8 [V, 3], as a `colors.Painter`; None for meshes of one colour.

    Raises:
      UserError: if it cannot be written.
    """
    kind = path.suffix[1:]
    with files.replacing(path) as partial:
        if kind == "npz":
            with open(partial, "wb") as file:
                np.savez_compressed(file, probabilities=voxels, threshold=threshold)
            return
        cleaned = surfaces.drop_small_components(voxels, threshold)
        if kind == "binvox":
            partial.write_bytes(binvox.write(cleaned > threshold))
            return
        mesh = SURFACES[meshes.surface](cleaned, threshold)
        if meshes.smoothing:
            mesh = surfaces.smooth_mesh(mesh, meshes.smoothing)
        if meshes.max_faces:
            mesh = surfaces.reduce_mesh(mesh, meshes.max_faces)
        if paint is not None:
            axes = [surfaces.to_object_axes(v) for v in (mesh.vertices, mesh.vertex_normals)]
            mesh = surfaces.paint_mesh(mesh, paint(*axes), linear=kind == "glb")
        if meshes.size_mm:
            scale = meshes.size_mm / mesh.extents.max()
            mesh.apply_scale(scale * _METRES if kind == "glb" else scale)
        if kind == "stl":
            mesh.vertices = mesh.vertices @ _TO_PRINTER.T
        # A texture of an .obj would need a second file.
        options: dict[str, Any] = {"include_texture": False} if kind == "obj" else {}
        mesh.export(partial, file_type=kind, **options)
