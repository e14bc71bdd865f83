"""Sizes of the networks, pinned: a checkpoint fits one architecture only."""

import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import architectures, networks, viewpoint_bins
from ptn_semi.models.architectures import PRESETS
from ptn_semi.models.model_settings import ModelSettings
from ptn_semi.models.network_builders import build_discriminator, build_encoder, build_generator
from ptn_semi.projection import resolutions

# Worked out from the published architecture (kernels without bias before a batch norm, which keeps
# 4 numbers per channel: scale, offset, moving mean and variance):
#   E  5²·1·128 + 4·128, 5²·128·256 + 4·256, 5²·256·512 + 4·512   convolutions, 32 → 4 pixels
#      4²·512·1024 + 4·1024, 1024² + 4·1024, 1024·512 + 512       fully connected
#   G  512·256·4³ + 4·256·4³                                      fully connected
#      5³·256·128 + 4·128, 5³·128·64 + 4·64, 5³·64·1 + 1          transposed convolutions, to 32³
#      for 64³ one more 5³·64·64 + 4·64
#   D  5²·1·256 + 256, 5²·256·512 + 512, 5²·512·1024 + 1024       convolutions, 32 → 4 pixels
#      2·512, 2·1024                                              layer norms, per channel
#      4²·1024·1 + 1                                              fully connected
# `small` has the same layers with kernels of 4, E 32, 64, 128 → 256 → 128, G 64 → 32 → 16 → 1 and
# D 32, 64, 128; `medium` E 48, 96, 192 → 256 → 128, G 96 → 48 → 24 → 1, and D of `small`.
ENCODER = {
    "paper": 14_072_960,
    "medium": sum(
        (
            4**2 * 48 + 4 * 48,
            4**2 * 48 * 96 + 4 * 96,
            4**2 * 96 * 192 + 4 * 192,
            4**2 * 192 * 256 + 4 * 256,
            (256 + 1) * 128,
        )
    ),
    "small": 723_456,
}
GENERATOR = {
    ("paper", 32): 13_582_913,
    ("paper", 64): 14_095_169,
    ("medium", 32): 1_181_473,
    ("small", 32): 705_729,
    ("small", 64): 722_177,
}
DISCRIMINATOR = {"paper": 16_411_649, "medium": 167_009, "small": 167_009}
# V is E with another last layer: from E's 1024 or 256 units to 48 bins of 3 numbers.
VIEWPOINT_ESTIMATOR = {
    "paper": 14_072_960 - (1024 + 1) * 512 + (1024 + 1) * 144,
    "medium": ENCODER["medium"] - (256 + 1) * 128 + (256 + 1) * 144,
    "small": 723_456 - (256 + 1) * 128 + (256 + 1) * 144,
}

# R is the same in `paper` and `small`. By the grid's side:
#   5²·1·6 + 6, 5²·6·6 + 6                              convolutions on the mask
#   4³·2·8 + 4·8                                        voxels and mask to half of the grid
#   3³·16·32 + 4·32, 3³·32·32 + 4·32, 2³·32·16 + 4·16   with the mask's features to a quarter, back
#   3³·16·16 + 4·16, 4³·16 + 1                          the correction
#   for 64³ also 2 · (3³·32·32 + 4·32), 2³·32·32 + 4·32 down to an eighth and back
REFINER = {32: 56_007, 64: 119_879}


@pytest.mark.parametrize("preset", PRESETS)
def test_encoder(preset):
    encoder = build_encoder(PRESETS[preset], 32)
    assert encoder.count_params() == ENCODER[preset]
    masks = tf.random.stateless_uniform((2, 32, 32, 1), [0, 0])
    latents = encoder(masks).numpy()
    assert latents.shape == (2, PRESETS[preset].latent_dim)
    assert latents.dtype == np.float32
    assert np.isfinite(latents).all()
    assert latents.min() < 0 < latents.max()


@pytest.mark.parametrize(("preset", "voxel_size"), GENERATOR)
def test_generator(preset, voxel_size):
    generator = build_generator(PRESETS[preset], voxel_size)
    assert generator.count_params() == GENERATOR[preset, voxel_size]
    latents = tf.random.stateless_normal((2, PRESETS[preset].latent_dim), [0, 0])
    voxels = generator(latents).numpy()
    assert voxels.shape == (2, voxel_size, voxel_size, voxel_size)
    assert voxels.dtype == np.float32
    assert 0 <= voxels.min() < voxels.max() <= 1
    assert voxels.mean() < 0.1  # starts near empty


def refining(preset, precision, voxel_size=32):
    settings = ModelSettings(
        PRESETS[preset], voxel_size, has_viewpoint_estimator=True, has_refiner=True
    )
    return networks.build_networks(settings, precision)[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_viewpoint_estimator(preset):
    estimator = refining(preset, "mixed_bfloat16").viewpoint_estimator
    assert estimator.count_params() == VIEWPOINT_ESTIMATOR[preset]
    outputs = estimator(tf.random.stateless_uniform((2, 32, 32, 1), [0, 0])).numpy()
    assert outputs.shape == (2, viewpoint_bins.NUM_BINS, 3)
    assert outputs.dtype == np.float32


@pytest.mark.parametrize("voxel_size", architectures.VOXEL_SIZES)
@pytest.mark.parametrize("precision", architectures.PRECISIONS)
def test_refiner_starts_as_the_identity(voxel_size, precision):
    refiner = refining("small", precision, voxel_size).refiner
    assert refiner.count_params() == REFINER[voxel_size]
    voxels = tf.random.stateless_uniform((2, 32, 32, 32), [0, 0])
    masks = tf.cast(tf.random.stateless_uniform((2, 32, 32, 1), [0, 1]) < 0.5, tf.float32)
    viewpoints = tf.constant([[0.0, 30.0], [20.0, 200.0]])
    refined = refiner([voxels, masks, viewpoints]).numpy()
    assert refined.dtype == np.float32
    np.testing.assert_allclose(
        refined, resolutions.repeated_voxels(voxels.numpy(), voxel_size), atol=1e-5
    )
    # Once it adds something, what it adds depends on the mask and the viewpoint.
    correction = refiner.get_layer("correction")
    correction.set_weights([np.ones_like(weight) for weight in correction.get_weights()])
    predictions = refiner([voxels, masks, viewpoints]).numpy()
    assert abs(predictions - refined).max() > 0.01
    for other in ([voxels, 1 - masks, viewpoints], [voxels, masks, viewpoints + 90]):
        assert abs(refiner(other).numpy() - predictions).max() > 1e-3


@pytest.mark.parametrize("preset", PRESETS)
def test_discriminator(preset):
    discriminator = build_discriminator(PRESETS[preset], 32)
    assert discriminator.count_params() == DISCRIMINATOR[preset]
    masks = tf.random.stateless_uniform((2, 32, 32, 1), [0, 0])
    logits = discriminator(masks, training=True).numpy()
    assert logits.shape == (2, 1)
    assert logits.dtype == np.float32
    # Layer norm, so that no mask depends on the others in its batch.
    np.testing.assert_allclose(discriminator(masks[:1], training=True), logits[:1], atol=1e-4)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"voxel_size": 0}, "one of .32, 64., not 0"),
        ({"voxel_size": 33}, "one of .32, 64., not 33"),
        ({"image_size": 7}, "8 to 512, not 7"),
        ({"image_size": 513}, "8 to 512, not 513"),
    ],
)
def test_other_sizes_are_refused(sizes, reason):
    with pytest.raises(ValueError, match=reason):
        ModelSettings(PRESETS["small"], **sizes)


def test_the_refiner_of_medium_is_wider_below():
    # 48 instead of 32 channels at a quarter of the grid and below.
    channels = 48
    same = 156 + 906 + 4**3 * 2 * 8 + 4 * 8 + 3**3 * 16 * 16 + 4 * 16 + 4**3 * 16 + 1
    down = 3**3 * 16 * channels + 4 * channels
    up = 2**3 * channels * 16 + 4 * 16
    conv = 3**3 * channels**2 + 4 * channels
    assert refining("medium", "float32", 32).refiner.count_params() == same + down + conv + up
    below = 2 * conv + 2**3 * channels**2 + 4 * channels
    assert (
        refining("medium", "float32", 64).refiner.count_params() == same + down + conv + up + below
    )
