"""Pictures of validation shapes for a run's TensorBoard and its workdir."""

import numpy as np

from ptn_semi.data.splits import Shapes
from ptn_semi.models.networks import Networks
from ptn_semi.projection import resolutions
from ptn_semi.shapes import predictions
from ptn_semi.visual import sheets

_NUM_SHAPES = 6


def validation_pictures(
    networks: Networks, shapes: Shapes, threshold: float
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Draw a few validation shapes, the same ones every time.

    Returns:
      A sheet of masks projected from another view and a sheet of reconstructions, both uint8
      [height, width, 3], and the occupied voxels, each bool [N, N, N].
    """
    index = shapes.spread(_NUM_SHAPES)
    masks = shapes.unpack_masks(index, 0)
    voxels = networks.predict(masks)
    predicted, _ = predictions.predict_shapes(networks, masks[:, None], threshold)
    occupied = [shape.occupied for shape in predicted]
    other_masks = shapes.unpack_masks(index, 1)
    other = networks.render_projector([voxels, shapes.viewpoints[index, 1]])
    other = resolutions.coarse_masks(other, shapes.image_size).numpy()
    rows = [
        [sheets.mask_picture(mask) for mask in row]
        for row in zip(masks, other, other_masks, strict=True)
    ]
    titles = ["input mask", "predicted, other view", "true, other view"]
    reconstructions = sheets.reconstruction_sheet(masks, occupied, shapes.unpack_voxels(index))
    return sheets.grid(rows, titles), reconstructions, occupied
