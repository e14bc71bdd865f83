"""Sizes of the networks and the options that users can choose from.

This module does not import TensorFlow. `network_builders` builds the networks.
"""

import dataclasses

_LARGEST = 4096


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes of the networks.

    Attributes:
      latent_dim: length of E's output and of the GAN's z.
      encoder_filters: filters of E's convolutions, each of which halves the image. Larger images
        are halved before, once for each doubling beyond 32 pixels, by convolutions with half of
        the first number's filters.
      encoder_units: units of the fully connected layers after them.
      generator_base: channels of the 4³ grid that G starts from.
      generator_filters: filters of G's transposed convolutions to 32³ voxels, each of which doubles
        the grid. The last one, to 1 channel, is left out. 64³ voxels repeat the last number.
      discriminator_filters: filters of D's convolutions, each of which halves the mask.
      kernel_size: kernel size of these networks' convolutions.
      refiner_filters: filters of R's convolutions: on the mask, from the grid to half of its
        resolution, and to a quarter and less.

    Raises:
      ValueError: if a size is not an integer from 1 to 4096.
    """

    latent_dim: int
    encoder_filters: tuple[int, ...]
    encoder_units: tuple[int, ...]
    generator_base: int
    generator_filters: tuple[int, ...]
    discriminator_filters: tuple[int, ...]
    kernel_size: int
    refiner_filters: tuple[int, int, int] = (6, 8, 32)

    def __post_init__(self) -> None:
        values = dataclasses.astuple(self)
        sizes = [s for value in values for s in (value if isinstance(value, tuple) else (value,))]
        # A checkpoint from a stranger may name any sizes, and the networks are built before its
        # weights are read.
        if not all(isinstance(size, int) and 1 <= size <= _LARGEST for size in sizes):
            raise ValueError(f"a network's sizes are 1 to {_LARGEST}, not {sizes}")


PRESETS: dict[str, Architecture] = {
    "paper": Architecture(
        latent_dim=512,
        encoder_filters=(128, 256, 512),
        encoder_units=(1024, 1024),
        generator_base=256,
        generator_filters=(128, 64),
        discriminator_filters=(256, 512, 1024),
        kernel_size=5,
    ),
    "medium": Architecture(
        latent_dim=128,
        encoder_filters=(48, 96, 192),
        encoder_units=(256,),
        generator_base=96,
        generator_filters=(48, 24),
        discriminator_filters=(32, 64, 128),
        kernel_size=4,
        refiner_filters=(6, 8, 48),
    ),
    "small": Architecture(
        latent_dim=128,
        encoder_filters=(32, 64, 128),
        encoder_units=(256,),
        generator_base=64,
        generator_filters=(32, 16),
        discriminator_filters=(32, 64, 128),
        kernel_size=4,
    ),
}
VOXEL_SIZES = (32, 64)
REFINED_SIZE = 32  # of G's voxels where R corrects them, at any voxel size
IMAGE_SIZES = (8, 512)  # the smallest and the largest
# Compute dtypes of the layers; weights, latents, voxels and logits stay float32.
PRECISIONS = ("float32", "mixed_bfloat16")
