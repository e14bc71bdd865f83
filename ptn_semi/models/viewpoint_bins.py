"""The output of the viewpoint estimator V: bins of azimuth and elevation, each with a viewpoint.

A shape has nearly the same silhouette from the front, above, and from the back, below, so a single
estimate would lie between them. Bins allow several, and the mask shows which of them fits.
`ViewRanges` says which elevations the bins cover. Of each bin, V estimates

  its logit,
  the azimuth and the elevation from the bin's middle, in bins and in half bins,
  if viewpoints have 7 numbers: roll, inverse distance, half width, right and up, each scaled.
"""

import numpy as np
import tensorflow as tf

from ptn_semi.projection import geometry
from ptn_semi.projection.camera import Camera, ViewRanges

NUM_AZIMUTHS, NUM_ELEVATIONS = 16, 3
NUM_BINS = NUM_AZIMUTHS * NUM_ELEVATIONS
_WIDTH = 360.0 / NUM_AZIMUTHS
_SIZE, _SIZE_STEP, _PLACE_STEP = 0.5, 0.1, 0.1  # half width and its scale, and that of right and up
_LOWEST = np.array([-1, -1, -4, -9, -9], np.float32)  # of the scaled numbers


def num_outputs(ranges: ViewRanges) -> int:
    """Return how many numbers V estimates of each bin."""
    return ranges.num_values + 1


class Bins:
    """The bins for the viewpoints of a model's masks."""

    def __init__(self, ranges: ViewRanges, camera: Camera) -> None:
        self._num_values = ranges.num_values
        self._lowest = ranges.elevation[0]
        self._height = max((ranges.elevation[1] - ranges.elevation[0]) / NUM_ELEVATIONS, 2.0)
        inverse = geometry.inverse_distances(ranges, camera)
        scales = [_range_scale(*ranges.roll, 1.0), _range_scale(*inverse, 0.01)]
        scales += [(_SIZE, _SIZE_STEP), (0, _PLACE_STEP), (0, _PLACE_STEP)]
        self._middles, self._steps = np.array(scales, np.float32).T

    def loss(self, outputs: tf.Tensor, viewpoints: tf.Tensor) -> tf.Tensor:
        """Average the cross-entropy of the true bin plus the squared errors of its numbers.

        Args:
          outputs: [B, NUM_BINS, num_outputs], V's outputs.
          viewpoints: [B, 2 or 7], the true viewpoints; see `geometry`.
        """
        label, azimuth, elevation = self._place(viewpoints)
        fine = tf.concat([azimuth, elevation, self._scaled(viewpoints[:, 2:])], axis=1)
        chosen = tf.gather(outputs, label, batch_dims=1)  # [B, num_outputs]
        classes = tf.nn.sparse_softmax_cross_entropy_with_logits(label, outputs[..., 0])
        errors = tf.square(chosen[:, 1:] - fine)
        return tf.reduce_mean(classes + tf.reduce_sum(errors, axis=1))

    def hypotheses(self, outputs: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the likeliest viewpoints.

        Args:
          outputs: [B, NUM_BINS, num_outputs], V's outputs.
          count: how many viewpoints to return for each mask.

        Returns:
          The viewpoints [B, count, 2 or 7], the likeliest first, and the logarithms of their
          probabilities [B, count].
        """
        logs, bins = tf.math.top_k(tf.nn.log_softmax(outputs[..., 0]), count)
        chosen = tf.gather(outputs, bins, batch_dims=1)  # [B, count, num_outputs]
        column, row = bins // NUM_ELEVATIONS, bins % NUM_ELEVATIONS
        azimuth = (tf.cast(column, tf.float32) + 0.5 + chosen[..., 1]) * _WIDTH
        fine = (tf.clip_by_value(chosen[..., 2], -1.0, 1.0) + 1) / 2
        elevation = self._lowest + self._height * (tf.cast(row, tf.float32) + fine)
        rest = self._unscaled(chosen[..., 3:])
        return tf.concat([tf.stack([elevation, azimuth], axis=-1), rest], axis=-1), logs

    def with_cameras(self, viewpoints: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return viewpoints [B, 2] with the further numbers that V estimates for their bins."""
        label, _, _ = self._place(viewpoints)
        rest = self._unscaled(tf.gather(outputs[..., 3:], label, batch_dims=1))
        return tf.concat([viewpoints, rest], axis=1)

    def within_elevation(self, viewpoints: tf.Tensor) -> tf.Tensor:
        """Clip the elevations of viewpoints [B, 2 or 7] to those of the bins."""
        highest = self._lowest + NUM_ELEVATIONS * self._height
        elevation = tf.clip_by_value(viewpoints[:, :1], self._lowest, highest)
        return tf.concat([elevation, viewpoints[:, 1:]], axis=1)

    def _place(self, viewpoints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the bins [B] of viewpoints, and places [B, 1] in them: azimuth, elevation."""
        azimuth = tf.math.floormod(viewpoints[:, 1], 360.0) / _WIDTH
        elevation = (viewpoints[:, 0] - self._lowest) / self._height
        column, row = (
            tf.clip_by_value(tf.cast(tf.floor(place), tf.int32), 0, count - 1)
            for place, count in ((azimuth, NUM_AZIMUTHS), (elevation, NUM_ELEVATIONS))
        )
        azimuth -= tf.cast(column, tf.float32) + 0.5
        elevation = 2 * (elevation - tf.cast(row, tf.float32)) - 1
        return column * NUM_ELEVATIONS + row, azimuth[:, None], elevation[:, None]

    def _scaled(self, rest: tf.Tensor) -> tf.Tensor:
        """Scale the numbers [B, 0 or 5] that come after the elevation and the azimuth."""
        if self._num_values == 2:
            return rest
        rest = tf.concat([rest[:, :1], 1 / rest[:, 1:2], rest[:, 2:]], axis=1)
        return (rest - self._middles) / self._steps

    def _unscaled(self, scaled: tf.Tensor) -> tf.Tensor:
        """Return the numbers [..., 0 or 5] that scaled ones stand for.

        Roll and distance stay in their ranges, and the image keeps a width.
        """
        if self._num_values == 2:
            return scaled
        rest = self._middles + self._steps * tf.clip_by_value(scaled, _LOWEST, -_LOWEST)
        return tf.concat([rest[..., :1], 1 / rest[..., 1:2], rest[..., 2:]], axis=-1)


def mean_of_flipped(outputs: tf.Tensor, flipped: tf.Tensor) -> tf.Tensor:
    """Average V's outputs for masks with those for the mirrored masks.

    Both are [B, NUM_BINS, num_outputs]. From azimuth −a, a mirrored shape looks as its mirrored
    mask, so bins and offsets of the azimuth are reversed, and so are the signs of the roll and of
    the place to the right. Logits become log-probabilities.
    """
    by_azimuth = tf.reshape(flipped, [-1, NUM_AZIMUTHS, NUM_ELEVATIONS, flipped.shape[-1]])
    flipped = tf.reshape(tf.reverse(by_azimuth, [1]), tf.shape(flipped))
    signs = [1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0]
    flipped *= tf.constant(signs[: outputs.shape[-1]])
    logs = [tf.nn.log_softmax(each[..., :1], axis=1) for each in (outputs, flipped)]
    rest = [each[..., 1:] for each in (outputs, flipped)]
    return tf.concat([tf.add_n(logs) / 2, tf.add_n(rest) / 2], axis=-1)


def _range_scale(low: float, high: float, smallest: float) -> tuple[float, float]:
    """Return the middle and the half width of a range, in either order of its ends."""
    return (low + high) / 2, max(abs(high - low) / 2, smallest)
