"""Of several framings of a silhouette, the one that networks explain best."""

from types import SimpleNamespace

import numpy as np

from ptn_semi.shapes import predictions


class Fading:
    """Networks, and their projector, that show objects with some doubt, one less than others."""

    settings = SimpleNamespace(generated_size=8)
    image_size = 16

    def __init__(self, right):
        self.right, self.projector = right, self

    def predict_views(self, masks):
        self.masks = masks[:, 0]
        return np.zeros((len(masks), 8, 8, 8), np.float32), np.zeros((len(masks), 1, 2))

    def __call__(self, inputs):
        voxels, viewpoints = inputs
        assert voxels.shape == (3, 8, 8, 8) and viewpoints.shape == (3, 2)
        doubts = np.full((3, 1, 1, 1), 0.3, np.float32)
        doubts[self.right] = 0.2
        return self.masks * (1 - doubts)


def test_the_least_error_per_pixel_of_the_object_counts():
    masks = np.zeros((3, 16, 16, 1), np.float32)
    for mask, side in zip(masks, (6, 9, 12), strict=True):
        mask[:side, :side] = 1
    for right in range(3):
        assert predictions.best_explained(Fading(right), masks) == right
