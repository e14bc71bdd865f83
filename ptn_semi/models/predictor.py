"""Predictions of a trained model."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tqdm

from ptn_semi.models import fusion
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import geometry, resolutions

_VOXELS = 64 * 32**3  # predicted in a forward pass; no effect on the scores


class Predictor:
    """Predicts voxels from masks with a model's current weights.

    The model is traced once, so later changes of its weights need no new trace.

    Args:
      model: the model.
      turn: angle in degrees to turn every prediction by; see `geometry.turn_voxels`.
    """

    def __init__(self, model: SemiSupervisedReconstructor, turn: float = 0) -> None:
        self.turn = turn
        self._shape = (model.image_size, model.image_size, 1)
        self._count = _VOXELS // model.voxel_size**3  # masks in a forward pass
        self._fuse = tf.function(
            lambda masks, viewpoints: fusion.reconstruct_views(model, masks, viewpoints),
            jit_compile=False,
            autograph=False,
        )
        mask = tf.TensorSpec((None, *self._shape), tf.float32)
        self._predict = tf.function(
            lambda masks: model(masks, training=False),
            input_signature=[mask],
            jit_compile=False,
            autograph=False,
        )

    def __call__(self, masks: np.ndarray | tf.Tensor) -> np.ndarray:
        """Predict voxels.

        Args:
          masks: float32 [B, S, S, 1] in [0, 1].

        Returns:
          float32 [B, N, N, N] in [0, 1].

        Raises:
          ValueError: the masks have another shape.
        """
        if len(masks.shape) != 4 or tuple(masks.shape[1:]) != self._shape:
            raise ValueError(
                f"masks are [B, {', '.join(map(str, self._shape))}], not {list(masks.shape)}: a "
                "single mask becomes a batch by mask[None]"
            )
        voxels = self._predict(masks).numpy()
        return geometry.turn_voxels(voxels, self.turn) if self.turn else voxels

    def fuse(
        self, masks: np.ndarray, viewpoints: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Predict voxels from several views of each object; see `fusion.reconstruct_views`.

        Args:
          masks: float32 [B, K, S, S, 1] in [0, 1].
          viewpoints: [B, K, 2] in degrees; None to estimate them.

        Returns:
          The voxels, float32 [B, N, N, N] in [0, 1], and the viewpoints [B, K, 2] in degrees, or
          None if they are unknown.
        """
        voxels, seen_from = self._fuse(masks, viewpoints)
        return voxels.numpy(), None if seen_from is None else seen_from.numpy()

    def batches(
        self, shapes, num_views: int, progress: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Predict voxels from each of the first views of every shape, once each.

        Args:
          shapes: the `data.splits.Shapes`.
          num_views: how many views of each shape to use, from the first.
          progress: show a progress bar.

        Yields:
          (indices of shapes [b], indices of views [b], voxels float32 [b, N, N, N]). N is that of
          the shapes' voxels; those of a coarser model are repeated.
        """
        pairs = np.stack(list(np.mgrid[: len(shapes), :num_views]), axis=-1).reshape(-1, 2)
        starts = range(0, len(pairs), self._count)
        for start in tqdm.tqdm(starts, desc="evaluating", unit=" batches", disable=not progress):
            index, view = pairs[start : start + self._count].T
            voxels = self(shapes.unpack_masks(index, view))
            yield index, view, resolutions.repeated_voxels(voxels, shapes.voxel_size)
