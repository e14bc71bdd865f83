"""Files of shapes: meshes to view, edit and print, and voxels."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ptn_semi.settings import PLAIN_MESHES, MeshSettings
from ptn_semi.shapes.whole import Shape
from ptn_semi.utils import binvox, files
from ptn_semi.visual import surfaces

SURFACES = {"smooth": surfaces.extract_smooth, "blocky": surfaces.extract_blocky}
_METRES = 1e-3  # of a millimetre. The unit of .glb is the metre; the other formats have none.
# From glTF's axes to those of printers: z up, the front at -y.
_TO_PRINTER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def write(
    path: pathlib.Path,
    shape: Shape,
    probabilities: np.ndarray,
    meshes: MeshSettings = PLAIN_MESHES,
    paint: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> None:
    """Write a reconstruction to a file.

    Args:
      path: the file; its suffix is its format, one of `settings.SHAPE_FORMATS`.
      shape: the shape, axes x, y, z.
      probabilities: float32 [N, N, N] in [0, 1], as the model predicted them. Only an .npz holds
        them, beside the threshold and the occupied voxels.
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
                np.savez_compressed(
                    file,
                    probabilities=probabilities,
                    threshold=shape.threshold,
                    occupied=shape.occupied,
                )
            return
        if kind == "binvox":
            partial.write_bytes(binvox.write(shape.occupied))
            return
        mesh = SURFACES[meshes.surface](shape.voxels, shape.threshold)
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
