"""Pictures of validation shapes, as a run's TensorBoard and its workdir show them."""

import numpy as np

from ptn_semi.visual import sheets

_NUM_SHAPES = 6


def validation_pictures(predictor, projector, shapes, threshold):
    """Draws a few validation shapes, the same ones every time.

    Args:
      predictor: a `Predictor`.
      projector: a `Projector`.
      shapes: `splits.Shapes` with voxels.
      threshold: probability from which voxels are shown occupied.

    Returns:
      A sheet of masks seen from another view, a sheet of reconstructions (both uint8 [height,
      width, 3]), and the occupied voxels, bool [shapes, N, N, N].
    """
    count = min(_NUM_SHAPES, len(shapes))
    index = np.linspace(0, len(shapes) - 1, count).astype(int)
    masks = shapes.unpack_masks(index, 0)
    voxels = predictor(masks)
    other_masks = shapes.unpack_masks(index, 1)
    other = projector([voxels, shapes.viewpoints[index, 1]]).numpy()
    rows = [
        [sheets.mask_picture(mask) for mask in row]
        for row in zip(masks, other, other_masks, strict=True)
    ]
    titles = ["input mask", "predicted, other view", "true, other view"]
    reconstructions = sheets.reconstruction_sheet(
        masks, voxels, shapes.unpack_voxels(index), threshold
    )
    return sheets.grid(rows, titles), reconstructions, voxels > threshold
