"""Voxel generator G, which maps a latent to voxels."""

import keras
from keras import layers

from ptn_semi.models.architectures import Architecture
from ptn_semi.models.normalization import normalized
from ptn_semi.models.upsampling import UpsamplingToOneChannel

# G starts with a nearly empty grid: rays through a half-full one are opaque and pass back no
# gradient.
INITIAL_LOGIT = -3.0


def build_generator(architecture: Architecture, voxel_size: int) -> keras.Model:
    """Build G, which maps latents [B, latent_dim] to voxels [B, N, N, N] in [0, 1].

    Args:
      architecture: sizes of the networks.
      voxel_size: N, one of `architectures.VOXEL_SIZES`.

    Returns:
      The model, with float32 output.
    """
    filters = architecture.generator_filters
    if voxel_size == 64:
        filters = (*filters, filters[-1])
    x = inputs = layers.Input((architecture.latent_dim,), name="latent")
    x = layers.Dense(architecture.generator_base * 4**3, use_bias=False, name="dense")(x)
    x = normalized(x, "dense")
    x = layers.Reshape((4, 4, 4, architecture.generator_base), name="grid")(x)
    for i, channels in enumerate(filters, 1):
        x = layers.Conv3DTranspose(
            channels, architecture.kernel_size, 2, "same", use_bias=False, name=f"deconv{i}"
        )(x)
        x = normalized(x, f"deconv{i}")
    x = UpsamplingToOneChannel(
        architecture.kernel_size,
        bias_initializer=keras.initializers.Constant(INITIAL_LOGIT),
        name="deconv_out",
    )(x)
    x = layers.Reshape((voxel_size,) * 3, name="squeeze")(x)
    voxels = layers.Activation("sigmoid", dtype="float32", name="voxels")(x)
    return keras.Model(inputs, voxels, name="generator")
